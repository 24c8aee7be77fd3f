"""The estimator `dense`: depth and pose by dense bundle adjustment over optical flow."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from sfmcam.config import RunConfig
from sfmcam.estimators.megasam.answer import answer
from sfmcam.estimators.megasam.clip import Clip, Given
from sfmcam.estimators.megasam.dense_flow import DenseFlowOperator, DenseFlowOptions
from sfmcam.estimators.megasam.needs import require_ready
from sfmcam.estimators.megasam.options import DenseOptions
from sfmcam.estimators.megasam.pictures import clip_of, size_of
from sfmcam.estimators.megasam.prior_given import given_of, metres_of, prior_of
from sfmcam.estimators.megasam.resize import WorkingSize
from sfmcam.estimators.megasam.shot import Solved, solve_shot
from sfmcam.estimators.megasam.vo_start import VoStart, solve_by_vo
from sfmcam.types import Estimate, Frames, Status

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
        prior = prior_of(frames, self.options, size)
        solved = self._solved(frames, clip, size, given_of(frames, self.options, size, prior))
        if solved is None:
            return Estimate(Status.TOO_FEW_MATCHES, message="hardly any part of the picture can be followed from keyframe to keyframe")
        return answer(solved, frames, size, metres=metres_of(solved, prior, frames))

    def _solved(self, frames: Frames, clip: Clip, size: WorkingSize, given: Given) -> Solved | None:
        if self.options.start == "none":
            return solve_shot(clip, given, size, self.options)
        found = solve_by_vo(frames, threads=self.run.threads)
        return None if found is None else VoStart(clip, size, self.options).solve(*found)


def _share_of_texture(clip: Clip, index: int) -> float:
    return float((clip.features(index).sharpness.max(axis=2) > 0.2).mean())
