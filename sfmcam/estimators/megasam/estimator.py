"""The estimator `dense`: depth and pose by dense bundle adjustment over optical flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from sfmcam.config import RunConfig
from sfmcam.estimators.megasam.answer import answer
from sfmcam.estimators.megasam.clip import Clip
from sfmcam.estimators.megasam.dense_flow import DenseFlowOperator, DenseFlowOptions
<<<<<<< HEAD
from sfmcam.estimators.megasam.options import DenseOptions, TrackerOptions
from sfmcam.estimators.megasam.prior_given import given_by_prior, metres_per_unit
from sfmcam.estimators.megasam.resize import WorkingSize, resize_picture, tracker_intrinsics, working_size
=======
from sfmcam.estimators.megasam.needs import require_ready
from sfmcam.estimators.megasam.options import DenseOptions
from sfmcam.estimators.megasam.pictures import clip_of, neutral, size_of
from sfmcam.estimators.megasam.resize import WorkingSize
>>>>>>> ms_track
from sfmcam.estimators.megasam.shot import Solved, solve_shot
from sfmcam.estimators.megasam.vo_start import VoStart, solve_by_vo
from sfmcam.types import Estimate, Frames, Status

<<<<<<< HEAD
if TYPE_CHECKING:
    from sfmcam.estimators.megasam.clip_prior import ClipPrior

NEUTRAL_DISPARITY = 1.0
=======
>>>>>>> ms_track
MIN_SHARPNESS = 0.02  # share of cells with texture, in the median frame


class Dense:
    """Dense bundle adjustment over optical flow: depth and pose on any machine, without a network."""

    name = "dense"
    Options = DenseOptions

    def __init__(self, options: DenseOptions, run: RunConfig) -> None:
        self.options, self.run = options, run

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """See `estimators.base.Estimator`."""
        if len(frames) < 2:
            return Estimate(Status.TOO_FEW_FRAMES, message=f"{len(frames)} frame")
        require_ready(self.options)
        cv2.setNumThreads(self.run.threads)
        torch.set_num_threads(self.run.threads)
        size = size_of(frames, self.options)
        operator = DenseFlowOperator(DenseFlowOptions(quality=self.options.flow))
        clip = clip_of(frames, size, operator)
        sharp = float(np.median([_share_of_texture(clip, k) for k in np.linspace(0, len(frames) - 1, 7).astype(int)]))
        if sharp < MIN_SHARPNESS:
            return Estimate(Status.TOO_FEW_FEATURES, message=f"{100 * sharp:.0f} % of the picture has any texture")
        prior = self._prior(frames, size)
        solved = self._solved(frames, clip, size, prior)
        if solved is None:
            return Estimate(Status.TOO_FEW_MATCHES, message="hardly any part of the picture can be followed from keyframe to keyframe")
        return answer(solved, frames, size, metres=None if prior is None else metres_of(solved, prior, frames))

    def _prior(self, frames: Frames, size: WorkingSize) -> ClipPrior | None:
        """Return the depth prior; the modules of its models are loaded only where the options name some."""
        if self.options.prior.relative is None and self.options.prior.metric is None:
            return None
        from sfmcam.estimators.megasam.clip_prior import clip_prior

        device = "cuda" if self.options.device == "auto" and torch.cuda.is_available() else self.options.device
        return clip_prior(frames, self.options.prior, size=size, device="cpu" if device == "auto" else device)

    def _solved(self, frames: Frames, clip: Clip, size: WorkingSize, prior: ClipPrior | None) -> Solved | None:
        if self.options.start == "none" and prior is not None:
            long_side = max(frames.size_px)
            given = given_by_prior(prior, size, focal_px=self.options.focal_factor * long_side)
            guesses = self.options.focal_guesses if prior.focal_px is None else (prior.focal_px / long_side,)
            return solve_shot(clip, given, size, self.options.model_copy(update={"focal_guesses": guesses}))
        if self.options.start == "none":
            return solve_shot(clip, neutral(frames, size, self.options), size, self.options)
        found = solve_by_vo(frames, threads=self.run.threads)
        return None if found is None else VoStart(clip, size, self.options).solve(*found)


<<<<<<< HEAD
def metres_of(solved: Solved, prior: ClipPrior, frames: Frames) -> float | None:
    """Return the metres of one unit of a solved shot; None where the prior knows none, or no motion was found that tells depth."""
    if solved.depth is None:
        return None
    focal_px = float(np.exp(np.nanmedian(solved.filled.log_focal))) * max(frames.size_px)
    return metres_per_unit(solved.depth, prior, focal_px=focal_px)


def size_of(frames: Frames, options: TrackerOptions) -> WorkingSize:
    """Return the size at which frames are tracked."""
    width, height = frames.size_px
    area = options.area_px if options.enlarge else min(options.area_px, width * height)
    return working_size(frames.size_px, area_px=area)


def clip_of(frames: Frames, size: WorkingSize, operator: DenseFlowOperator) -> Clip:
    """Return the pictures of a shot as the tracker wants them."""

    def picture(index: int) -> Tensor:
        resized = resize_picture(frames.images[index], size)
        rgb = resized if resized.ndim == 3 else np.repeat(resized[..., None], 3, axis=2)
        return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))

    return Clip(picture, operator, timestamps_s=torch.from_numpy(frames.timestamps_s))


def neutral(frames: Frames, size: WorkingSize, options: TrackerOptions) -> Given:
    """Return what is known of a shot of which nothing is known: a usual focal length, and a scene about one unit away."""
    focal = options.focal_factor * max(frames.size_px)
    row = torch.from_numpy(tracker_intrinsics(focal, size, half_pixel=True)).float()
    disps = torch.full((len(frames), *size.grid), NEUTRAL_DISPARITY)
    return Given(row.expand(len(frames), 4).contiguous(), disps)


=======
>>>>>>> ms_track
def _share_of_texture(clip: Clip, index: int) -> float:
    return float((clip.features(index).sharpness.max(axis=2) > 0.2).mean())
