"""Depth models of transformers (Depth Anything V1 and V2, Depth Pro, DPT), from a local folder only.

What they hand over differs, and is brought to one of two kinds here: relative disparity, or depth in metres. Depth Pro (Bochkovskii
et al. 2024) gives the inverse depth of a camera whose focal length is the picture's width, and the field of view: depth = f / (W C).
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from sfmcam.errors import ConfigError, InputError, MissingDependencyError
from sfmcam.estimators.megasam.mono_depth import DepthKind, DepthMaps
from sfmcam.estimators.megasam.mono_input import read_input_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_CANONICAL, MAX_CANONICAL = 1e-4, 1e4  # of Depth Pro's inverse depth, as published
KINDS = {
    "depth_anything": DepthKind.RELATIVE,  # unless its configuration says metric
    "dpt": DepthKind.RELATIVE,
    "depth_pro": DepthKind.METRIC,
}


class TransformersDepth:
    """A depth model of transformers."""

    def __init__(
        self, folder: Path, *, device: str | torch.device = "cpu", precision: torch.dtype = torch.float32, long_side_px: int | None = None
    ) -> None:
        """Load the model.

        Args:
            folder: in transformers' layout: config.json, model.safetensors, preprocessor_config.json.
            device: where it computes.
            precision: in which it computes; maps are float32 all the same.
            long_side_px: longer side of its input; None for its own choice.

        Raises:
            InputError: the folder does not hold one whole depth model of a known kind.
            ConfigError: the device is not there, or the input size cannot be chosen for this model.
            MissingDependencyError: transformers is not installed.
        """
        self.name, self.device, self.precision, self.long_side_px = folder.name, _device(device), precision, long_side_px
        self._rule = read_input_rule(folder)
        if long_side_px is not None and not self._rule.keeps_aspect:
            raise ConfigError(f"the depth model in {folder} takes pictures of one size only; leave `long_side_px` out")
        self._model = _load(folder).to(self.device, precision)
        self._type: str = self._model.config.model_type
        is_metric = getattr(self._model.config, "depth_estimation_type", None) == "metric"
        self.kind = DepthKind.METRIC if is_metric else KINDS[self._type]

    @torch.inference_mode()
    def predict(self, images: Tensor) -> DepthMaps:
        """See `mono_depth.DepthModel`."""
        prepared = self._rule.prepare(images.to(self.device), long_side_px=self.long_side_px).to(self.precision)
        output = self._model(pixel_values=prepared)
        values, fov = output.predicted_depth.float(), getattr(output, "field_of_view", None)
        values = functional.interpolate(values[:, None], tuple(images.shape[-2:]), mode="bilinear", align_corners=False)[:, 0]
        if self._type != "depth_pro":
            return DepthMaps(values, self.kind)
        if fov is None:
            return DepthMaps(values.clamp(MIN_CANONICAL, MAX_CANONICAL).reciprocal(), self.kind)
        fov_rad = torch.deg2rad(fov.float())
        width_per_focal = 2 * torch.tan(fov_rad / 2)
        inverse = (values * width_per_focal[:, None, None]).clamp(MIN_CANONICAL, MAX_CANONICAL)
        return DepthMaps(inverse.reciprocal(), self.kind, fov_rad)


def _device(device: str | torch.device) -> torch.device:
    wanted = torch.device(device)
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("the depth model was to run on a CUDA device, and this machine has none that torch can use; choose device cpu")
    return wanted


def _load(folder: Path) -> Any:
    """Load the model strictly: transformers would give a missing tensor random values and a log line."""
    try:
        from transformers import AutoConfig, AutoModelForDepthEstimation
    except ImportError as error:
        raise MissingDependencyError("depth models need the package transformers: pip install 'sfmcam[learned]'") from error
    with _quiet():
        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder / 'config.json'} is no model that transformers knows ({_first_line(error)})") from error
        if config.model_type not in KINDS:
            raise InputError(f"{folder} holds a model of type {config.model_type}; depth priors know {', '.join(KINDS)}")
        try:
            model, report = AutoModelForDepthEstimation.from_pretrained(
                folder, config=config, local_files_only=True, use_safetensors=True, output_loading_info=True, ignore_mismatched_sizes=True
            )
        except Exception as error:  # its readers raise whatever they like at a damaged file, RuntimeError and SafetensorError among it
            raise InputError(f"the weights in {folder} cannot be read ({_first_line(error)}); fetch them again") from error
    mismatched = (key if isinstance(key, str) else key[0] for key in report.get("mismatched_keys", ()))
    missing = sorted({*report.get("missing_keys", ()), *mismatched})
    if missing:
        raise InputError(
            f"the weights in {folder} do not fit its config.json: {len(missing)} tensors are missing or of another shape "
            f"(first: {missing[0]}); fetch them again"
        )
    return model.eval().requires_grad_(False)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' bars and warnings out of our terminal while loading; what matters becomes an error here."""
    from transformers.utils import logging

    level, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()
