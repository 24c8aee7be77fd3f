"""The depth prior of a clip: models by name, their maps tied together, and what comes out on the tracker's grid."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt, tan

import numpy as np
import torch
from torch import Tensor

from sfmcam.errors import InputError
from sfmcam.estimators.megasam.depth_models import find_model
from sfmcam.estimators.megasam.mono_depth import ClipDepth, DepthKind, DepthModel, Float32, predict_clip
from sfmcam.estimators.megasam.mono_transformers import TransformersDepth
from sfmcam.estimators.megasam.prior import (
    NEAR_PERCENTILE,
    Affine,
    SkyRule,
    fit_clip,
    fit_frame,
    fit_frames_robustly,
    grid_disparity,
    near_norm,
    tracker_depth,
)
from sfmcam.estimators.megasam.prior_options import PriorOptions
from sfmcam.estimators.megasam.resize import WorkingSize, resize_map
from sfmcam.types import Float, Frames

FAR_START = 1e-3  # disparity that a cell without depth starts from
MAX_SAMPLES = 8_000_000  # pixels of a clip over which a percentile is taken
FIT_PIXELS = 160_000  # of a frame, to which a line is fitted


@dataclass(frozen=True)
class ClipPrior:
    """What is known of a clip's depth before tracking.

    Attributes:
        disps: (F, h, w) float32 inverse depth in tracker units on the 1/8 grid; 0 where the models see no depth (sky, failures).
        metric_per_unit: metres per tracker unit of length; NaN where no model knows metres.
        focal_px: focal length in pixels of the frames that were given, from a model that tells the field of view.
    """

    disps: Tensor
    metric_per_unit: float
    focal_px: float | None = None

    @property
    def start(self) -> Tensor:
        """(F, h, w) disparities to start from: the prior, and next to infinity where it has none."""
        return torch.where(self.disps > 0, self.disps, torch.full_like(self.disps, FAR_START))

    def metric_per_unit_at(self, focal_px: float) -> float:
        """Return metres per tracker unit once the focal length is known better: a longer one puts the same picture further away."""
        return self.metric_per_unit if self.focal_px is None else self.metric_per_unit * focal_px / self.focal_px


@dataclass(frozen=True)
class PriorModels:
    """The models of a prior; at least one."""

    relative: DepthModel | None = None
    metric: DepthModel | None = None


def clip_prior(
    frames: Frames, options: PriorOptions, *, size: WorkingSize, device: str | torch.device = "cpu", models: PriorModels | None = None
) -> ClipPrior | None:
    """Return the depth prior of a clip, on the CPU; None where the options name no model.

    Args:
        frames: RGB or grey.
        options: which models, and how.
        size: how the tracker's pictures come from `frames`.
        device: where the models run.
        models: the models themselves, already loaded; else those that the options name.

    Raises:
        InputError: a model is not on this machine or not whole, is of the wrong kind, or sees no depth in the clip.
        ConfigError: an unknown model, or a device that is not there.
        MissingDependencyError: transformers is not installed.
    """
    models = models or load_models(options, device)
    if models is None:
        return None
    relative, metric = (
        None if model is None else predict_clip(model, frames.images, every=options.every, batch=options.batch)
        for model in (models.relative, models.metric)
    )
    inverse, line = _tied(relative, metric, options)
    norm = near_norm(_thinned(inverse) if line is None else line(_thinned(inverse)))
    disps = np.empty((len(frames), *size.grid), np.float32)
    for k, picture in enumerate(inverse):
        known = picture if line is None else _of_frame(line, k)(picture)
        disps[k] = grid_disparity(resize_map(tracker_depth(known, norm), size), sampling=options.sampling)
    fov = None if metric is None else metric.fov_rad
    focal_px = None if fov is None else frames.size_px[0] / (2 * tan(fov / 2))
    return ClipPrior(torch.from_numpy(disps), float("nan") if metric is None else 1.0 / norm, focal_px)


def load_models(options: PriorOptions, device: str | torch.device = "cpu") -> PriorModels | None:
    """Load the models that the options name; None where they name none. Errors: see `clip_prior`."""
    if options.relative is None and options.metric is None:
        return None
    wanted = ((options.relative, DepthKind.RELATIVE), (options.metric, DepthKind.METRIC))
    return PriorModels(*(None if name is None else _load(name, kind, options, device) for name, kind in wanted))


def _load(name: str, kind: DepthKind, options: PriorOptions, device: str | torch.device) -> DepthModel:
    model = TransformersDepth(
        find_model(name, options.cache),
        device=device,
        precision=torch.bfloat16 if options.precision == "bfloat16" else torch.float32,
        long_side_px=options.long_side_px,
    )
    if model.kind is not kind:
        raise InputError(f"the depth model {name} gives {model.kind} depth; name it as `{model.kind}` in the options, not as `{kind}`")
    return model


def _tied(relative: ClipDepth | None, metric: ClipDepth | None, options: PriorOptions) -> tuple[Float32, Affine | None]:
    """Return (F, H, W) maps, and the lines that turn them into inverse depths in 1 / m; None: they are inverse depths already.

    Relative disparity alone is taken as inverse depth of an unknown unit: shift 0 puts at infinity what the model puts there.
    """
    if relative is None:
        assert metric is not None
        return metric.inverse, None
    near = float(np.percentile(_thinned(relative.inverse), NEAR_PERCENTILE))
    if not near > 0:
        raise InputError("the model of relative disparity puts all of this clip at infinity; choose another one, or none")
    da = relative.inverse / np.float32(near)  # so that the thresholds of the sky hold for any model
    if metric is None:
        return da, None
    return da, _lines(_thinned(da, FIT_PIXELS * len(da)), _thinned(metric.inverse, FIT_PIXELS * len(da)), options)


def _lines(da: Float, inverse_m: Float, options: PriorOptions) -> Affine:
    depth_m = np.where(inverse_m > 0, 1.0 / np.where(inverse_m > 0, inverse_m, 1.0), 0.0)
    if options.alignment == "robust":
        return fit_frames_robustly(da, depth_m, memory=options.memory)
    sky = SkyRule(options.sky_disparity, options.sky_share) if options.skip_sky else None
    fits = np.array([fit_frame(*pair, failed_below=options.sky_disparity, sky=sky) for pair in zip(da, depth_m, strict=True)])
    return fit_clip(fits[:, 0], fits[:, 1])


def _of_frame(line: Affine, frame: int) -> Affine:
    return line if line.scale.ndim == 0 else Affine(line.scale[frame], line.shift[frame])


def _thinned(maps: Float32, most: int = MAX_SAMPLES) -> Float:
    """Return every s-th row and column of maps (F, H, W), about `most` pixels: a percentile need not cost a long clip's memory again."""
    step = max(1, ceil(sqrt(maps.size / most)))
    return maps[:, ::step, ::step].astype(float)
