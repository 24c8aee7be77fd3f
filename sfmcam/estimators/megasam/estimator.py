"""The estimators `dense` and `megasam`: depth and pose by dense bundle adjustment, over optical flow or over a network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from sfmcam.config import RunConfig
from sfmcam.estimators.megasam.answer import answer
from sfmcam.estimators.megasam.clip import Clip, Given
from sfmcam.estimators.megasam.dense_flow import DenseFlowOperator, DenseFlowOptions
from sfmcam.estimators.megasam.options import DenseOptions, TrackerOptions
from sfmcam.estimators.megasam.resize import WorkingSize, resize_picture, tracker_intrinsics, working_size
from sfmcam.estimators.megasam.shot import Solved, solve_shot
from sfmcam.estimators.megasam.vo_start import VoStart, solve_by_vo
from sfmcam.types import Estimate, Frames, Status

NEUTRAL_DISPARITY = 1.0
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
        cv2.setNumThreads(self.run.threads)
        torch.set_num_threads(self.run.threads)
        size = size_of(frames, self.options)
        operator = DenseFlowOperator(DenseFlowOptions(quality=self.options.flow))
        clip = clip_of(frames, size, operator)
        sharp = float(np.median([_share_of_texture(clip, k) for k in np.linspace(0, len(frames) - 1, 7).astype(int)]))
        if sharp < MIN_SHARPNESS:
            return Estimate(Status.TOO_FEW_FEATURES, message=f"{100 * sharp:.0f} % of the picture has any texture")
        solved = self._solved(frames, clip, size)
        if solved is None:
            return Estimate(Status.TOO_FEW_MATCHES, message="hardly any part of the picture can be followed from keyframe to keyframe")
        return answer(solved, frames, size)

    def _solved(self, frames: Frames, clip: Clip, size: WorkingSize) -> Solved | None:
        if self.options.start == "none":
            return solve_shot(clip, neutral(frames, size, self.options), size, self.options)
        found = solve_by_vo(frames, threads=self.run.threads)
        return None if found is None else VoStart(clip, size, self.options).solve(*found)


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


def _share_of_texture(clip: Clip, index: int) -> float:
    return float((clip.features(index).sharpness.max(axis=2) > 0.2).mean())
