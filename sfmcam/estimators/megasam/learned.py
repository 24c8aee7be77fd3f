"""The estimator `megasam`: the tracker over the learned update operator, with depth priors where they are asked for."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from sfmcam.config import RunConfig
from sfmcam.errors import SfmcamError
from sfmcam.estimators.megasam.answer import answer
from sfmcam.estimators.megasam.clip import Given
from sfmcam.estimators.megasam.needs import require_ready, weights_of
from sfmcam.estimators.megasam.net.loading import load_operator
from sfmcam.estimators.megasam.net.operator import LearnedOperator
from sfmcam.estimators.megasam.options import MegasamOptions
from sfmcam.estimators.megasam.pictures import clip_of, size_of
from sfmcam.estimators.megasam.prior_given import device_of, given_of, metres_of, prior_of
from sfmcam.estimators.megasam.resize import WorkingSize
from sfmcam.estimators.megasam.shot import Solved, solve_shot
from sfmcam.estimators.megasam.vo_start import VoStart, solve_by_vo
from sfmcam.types import Estimate, Frames, Status

logger = logging.getLogger(__name__)
LEAST_WINDOW = 8  # keyframes; below, memory is not what is wrong


class Megasam:
    """MegaSaM (Li et al. 2025): a learned operator, dense bundle adjustment, movers found by the network. Needs its weights."""

    name = "megasam"
    Options = MegasamOptions

    def __init__(self, options: MegasamOptions, run: RunConfig) -> None:
        self.options, self.run = options, run
        self._operator: LearnedOperator | None = None

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """See `estimators.base.Estimator`.

        Raises:
            SfmcamError: weights, device or packages are missing, or the memory does not do for a small window.
        """
        if len(frames) < 2:
            return Estimate(Status.TOO_FEW_FRAMES, message=f"{len(frames)} frame")
        require_ready(self.options)
        cv2.setNumThreads(self.run.threads)
        torch.set_num_threads(self.run.threads)
        torch.manual_seed(self.run.seed)
        contrast = float(np.median([image.std() for image in frames.images[:: max(1, len(frames) // 8)]]))
        if contrast < 1.0:
            return Estimate(Status.TOO_FEW_FEATURES, message=f"the pictures hardly have any contrast ({contrast:.1f} grey levels)")
        size, device = size_of(frames, self.options), device_of(self.options)
        prior = prior_of(frames, self.options, size)
        given = given_of(frames, self.options, size, prior)
        with torch.no_grad():
            solved = self._with_memory(frames, size, _on(given, device))
        if solved is None:
            return Estimate(Status.TOO_FEW_MATCHES, message="hardly any part of the picture can be followed from keyframe to keyframe")
        return answer(solved, frames, size, metres=metres_of(solved, prior, frames))

    def _with_memory(self, frames: Frames, size: WorkingSize, given: Given) -> Solved | None:
        """Solve a shot; where memory ends, again in windows of half the keyframes."""
        window = self.options.window
        while True:
            try:
                return self._solved(frames, size, given, self.options.model_copy(update={"window": window}))
            except (torch.cuda.OutOfMemoryError, MemoryError) as error:
                if window // 2 < LEAST_WINDOW:
                    raise SfmcamError(
                        f"megasam ran out of memory with {window} keyframes at {size.cropped_px[0]}x{size.cropped_px[1]} pixels; "
                        "set a smaller `area_px`, or take the preset megasam:fast"
                    ) from error
                window //= 2
                logger.warning("megasam ran out of memory; it goes on in windows of %d keyframes", window)
                if given.prior_disps.is_cuda:
                    torch.cuda.empty_cache()

    def _solved(self, frames: Frames, size: WorkingSize, given: Given, options: MegasamOptions) -> Solved | None:
        clip = clip_of(frames, size, self._operator_on(given.prior_disps.device))
        if options.start == "vo":
            found = solve_by_vo(frames, threads=self.run.threads)
            return None if found is None else VoStart(clip, size, options).solve(*found)
        return solve_shot(clip, given, size, options)

    def _operator_on(self, device: torch.device) -> LearnedOperator:
        if self._operator is None:
            self._operator = load_operator(weights_of(self.options), device=device, dtype=self.options.dtype, graphs=self.options.graphs)
        return self._operator


def _on(given: Given, device: torch.device) -> Given:
    return replace(given, intrinsics=given.intrinsics.to(device), prior_disps=given.prior_disps.to(device))
