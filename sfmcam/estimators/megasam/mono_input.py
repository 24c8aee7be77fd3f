"""How pictures become the input of a depth model, after its preprocessor_config.json, in torch alone.

transformers' own processors need torchvision for some models and work picture by picture on the CPU; this is their arithmetic for
batches, on any device.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sfmcam.errors import InputError

BICUBIC = 3  # of PIL's numbers for resampling filters, which the file uses
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class InputRule:
    """What a model wants to be given.

    Attributes:
        size: height and width; None: as the picture is.
        keeps_aspect: change the size by one factor, the nearer to 1 of the two that `size` asks for (Ranftl et al. 2021).
        multiple: of which height and width are.
        mean, std: of the colours, 0 to 1.
        is_bicubic: else bilinear.
        antialias: average where the picture is made smaller.
    """

    size: tuple[int, int] | None
    keeps_aspect: bool = False
    multiple: int = 1
    mean: tuple[float, ...] = IMAGENET[0]
    std: tuple[float, ...] = IMAGENET[1]
    is_bicubic: bool = True
    antialias: bool = True

    def shape_of(self, height: int, width: int, *, long_side_px: int | None = None) -> tuple[int, int]:
        """Return the height and width of the input for a picture; `long_side_px` takes the place of `size` where the aspect is kept."""
        if self.size is not None and not self.keeps_aspect:
            return self.size
        scale = 1.0
        if long_side_px is not None:
            scale = long_side_px / max(height, width)
        elif self.size is not None:
            scale = min(self.size[0] / height, self.size[1] / width, key=lambda factor: abs(1 - factor))
        return tuple(max(round(side * scale / self.multiple), 1) * self.multiple for side in (height, width))  # type: ignore[return-value]

    def prepare(self, images: Tensor, *, long_side_px: int | None = None) -> Tensor:
        """Return the input (N, 3, H', W') float32 for pictures (N, 3, H, W) uint8 RGB."""
        shape = self.shape_of(*images.shape[-2:], long_side_px=long_side_px)
        colours = images.float() / 255
        if shape != tuple(images.shape[-2:]):
            mode = "bicubic" if self.is_bicubic else "bilinear"
            colours = functional.interpolate(colours, shape, mode=mode, align_corners=False, antialias=self.antialias).clamp(0, 1)
        mean, std = (torch.tensor(v, device=images.device).view(1, -1, 1, 1) for v in (self.mean, self.std))
        return (colours - mean) / std


def read_input_rule(folder: Path) -> InputRule:
    """Read a model's preprocessor_config.json.

    Raises:
        InputError: the file is missing, or does not say what is needed.
    """
    path = folder / "preprocessor_config.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        size = content.get("size") if content.get("do_resize", True) else None
        is_depth_pro = str(content.get("image_processor_type", "")).startswith("DepthPro")
        normalises = content.get("do_normalize", True)
        return InputRule(
            size=_size(size),
            keeps_aspect=bool(content.get("keep_aspect_ratio", False)),
            multiple=int(content.get("ensure_multiple_of") or content.get("size_divisor") or 1),
            mean=tuple(map(float, content.get("image_mean", IMAGENET[0]))) if normalises else (0.0,) * 3,
            std=tuple(map(float, content.get("image_std", IMAGENET[1]))) if normalises else (1.0,) * 3,
            is_bicubic=content.get("resample", BICUBIC) == BICUBIC,
            antialias=not is_depth_pro,
        )
    except FileNotFoundError as error:
        raise InputError(f"the depth model in {folder} has no preprocessor_config.json; fetch it whole") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} does not say how pictures are prepared ({error}); fetch the model again") from error


def _size(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    if isinstance(size, int):
        return size, size
    if isinstance(size, dict) and "shortest_edge" in size:
        return int(size["shortest_edge"]), int(size["shortest_edge"])
    return int(size["height"]), int(size["width"])
