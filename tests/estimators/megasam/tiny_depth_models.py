"""Depth models of transformers with few, random weights, saved as a user's folder would be; and models that know the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.mono_depth import DepthKind, DepthMaps
from sfmcam.types import Float

DPT_INPUT = {
    "image_processor_type": "DPTImageProcessor",
    "size": {"height": 56, "width": 56},
    "keep_aspect_ratio": True,
    "ensure_multiple_of": 14,
    "resample": 3,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
DEPTH_PRO_INPUT = {
    "image_processor_type": "DepthProImageProcessor",
    "size": {"height": 64, "width": 64},
    "resample": 2,
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
}
FOV_DEG = 60.0


def save_depth_anything(folder: Path, **config: Any) -> Path:
    """Save a Depth Anything of 0.1 million random weights, whose disparities are positive."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    torch.manual_seed(0)
    stages = [f"stage{i}" for i in range(1, 5)]
    sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
    backbone = Dinov2Config(image_size=56, patch_size=14, out_features=stages, reshape_hidden_states=False, **sizes)
    neck = {"reassemble_hidden_size": 32, "neck_hidden_sizes": [8, 16, 24, 32], "fusion_hidden_size": 16, "head_hidden_size": 8}
    model = DepthAnythingForDepthEstimation(DepthAnythingConfig(backbone_config=backbone, **neck, **config))
    torch.nn.init.constant_(model.head.conv3.bias, 1.0)
    return _save(model, folder, DPT_INPUT)


def save_depth_pro(folder: Path) -> Path:
    """Save a Depth Pro of 0.1 million random weights, which sees FOV_DEG in whatever picture."""
    from transformers import DepthProConfig, DepthProForDepthEstimation, Dinov2Config

    torch.manual_seed(0)
    encoders = {
        name: Dinov2Config(image_size=32, patch_size=8, hidden_size=16, num_hidden_layers=4, num_attention_heads=2)
        for name in ("image_model_config", "patch_model_config", "fov_model_config")
    }
    config = DepthProConfig(
        fusion_hidden_size=16,
        patch_size=32,
        intermediate_hook_ids=[3, 1],
        intermediate_feature_dims=[8, 8],
        scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.5],
        scaled_images_feature_dims=[12, 8],
        merge_padding_value=1,
        use_fov_model=True,
        num_fov_head_layers=0,
        **encoders,
    )
    model = DepthProForDepthEstimation(config)
    last = [module for module in model.fov_model.head.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, FOV_DEG)
    last = [module for module in model.head.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    torch.nn.init.constant_(last.bias, 0.5)
    return _save(model, folder, DEPTH_PRO_INPUT)


def _save(model: Any, folder: Path, preprocessor: dict[str, Any]) -> Path:
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor), encoding="utf-8")
    return folder


@dataclass
class KnowingModel:
    """A model that hands over given maps frame by frame, and counts what it is asked; frame k has the colour k throughout.

    `out_of_memory_above`: how many pictures at a time are too many.
    """

    maps: Float
    kind: DepthKind
    fov_rad: float | None = None
    out_of_memory_above: int = 1000
    asked: int = 0
    name: str = "the test's own"

    def predict(self, images: Tensor) -> DepthMaps:
        """See `mono_depth.DepthModel`."""
        if len(images) > self.out_of_memory_above:
            raise torch.OutOfMemoryError("made by the test")
        frames = images[:, 0, 0, 0].numpy()
        self.asked += len(frames)
        fov = None if self.fov_rad is None else torch.full((len(frames),), self.fov_rad)
        return DepthMaps(torch.from_numpy(self.maps[frames].astype(np.float32)), self.kind, fov)


def numbered_images(count: int, size_px: tuple[int, int]) -> np.ndarray:
    """Return (count, H, W, 3) pictures, frame k of colour k throughout, as `KnowingModel` wants them."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, size_px[1], size_px[0], 3)).copy()
