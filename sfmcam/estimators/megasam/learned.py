"""The estimator `megasam`: the tracker over the learned update operator, with depth priors where they are asked for."""

from __future__ import annotations

import logging
from dataclasses import replace
from math import isfinite
from pathlib import Path

import cv2
import numpy as np
import torch

from sfmcam.config import RunConfig
from sfmcam.errors import SfmcamError
from sfmcam.estimators.megasam.answer import answer
from sfmcam.estimators.megasam.clip import Given
from sfmcam.estimators.megasam.clip_prior import ClipPrior, clip_prior
from sfmcam.estimators.megasam.needs import require_ready, weights_of
from sfmcam.estimators.megasam.net.loading import load_operator
from sfmcam.estimators.megasam.net.operator import LearnedOperator
from sfmcam.estimators.megasam.options import MegasamOptions
from sfmcam.estimators.megasam.pictures import clip_of, neutral, size_of
from sfmcam.estimators.megasam.resize import WorkingSize, tracker_intrinsics
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
        size, device = size_of(frames, self.options), self._device()
        prior = clip_prior(frames, self.options.prior, size=size, device=device)
        with torch.no_grad():
            solved = self._with_memory(frames, size, device, prior)
        if solved is None:
            return Estimate(Status.TOO_FEW_MATCHES, message="hardly any part of the picture can be followed from keyframe to keyframe")
        return answer(solved, frames, size, metres=_metres(prior, solved, frames))

    def _device(self) -> torch.device:
        if self.options.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.options.device)

    def _with_memory(self, frames: Frames, size: WorkingSize, device: torch.device, prior: ClipPrior | None) -> Solved | None:
        """Solve a shot; where memory ends, again in windows of half the keyframes."""
        window = self.options.window
        while True:
            try:
                return self._solved(frames, size, device, prior, self.options.model_copy(update={"window": window}))
            except (torch.cuda.OutOfMemoryError, MemoryError) as error:
                if window // 2 < LEAST_WINDOW:
                    raise SfmcamError(
                        f"megasam ran out of memory with {window} keyframes at {size.cropped_px[0]}x{size.cropped_px[1]} pixels; "
                        "set a smaller `area_px`, or take the preset megasam:fast"
                    ) from error
                window //= 2
                logger.warning("megasam ran out of memory; it goes on in windows of %d keyframes", window)
                if device.type == "cuda":
                    torch.cuda.empty_cache()

    def _solved(
        self, frames: Frames, size: WorkingSize, device: torch.device, prior: ClipPrior | None, options: MegasamOptions
    ) -> Solved | None:
        clip = clip_of(frames, size, self._operator_on(device))
        if options.start == "vo":
            found = solve_by_vo(frames, threads=self.run.threads)
            return None if found is None else VoStart(clip, size, options).solve(*found)
        return solve_shot(clip, _on(given_prior(frames, size, options, prior), device), size, options)

    def _operator_on(self, device: torch.device) -> LearnedOperator:
        if self._operator is None:
            self._operator = load_operator(weights_of(self.options), device=device, dtype=self.options.dtype, graphs=self.options.graphs)
        return self._operator


def given_prior(frames: Frames, size: WorkingSize, options: MegasamOptions, prior: ClipPrior | None) -> Given:
    """Return what is known of a shot beforehand: disparities and focal length of the depth prior, or what is usual."""
    given = neutral(frames, size, options)
    if prior is None:
        return given
    given = replace(given, prior_disps=prior.disps)
    if prior.focal_px is None or not options.prior_focal:
        return given
    row = torch.from_numpy(tracker_intrinsics(prior.focal_px, size, half_pixel=True)).float()
    return replace(given, intrinsics=row.expand(len(frames), 4).contiguous(), focal_known=True)


def _on(given: Given, device: torch.device) -> Given:
    return replace(given, intrinsics=given.intrinsics.to(device), prior_disps=given.prior_disps.to(device))


def _metres(prior: ClipPrior | None, solved: Solved, frames: Frames) -> float | None:
    """Return the metres of a unit of the path; None without a metric prior."""
    if prior is None or not isfinite(prior.metric_per_unit):
        return None
    focal_px = float(np.exp(np.nanmedian(solved.filled.log_focal))) * max(frames.size_px)
    return prior.metric_per_unit_at(focal_px) * solved.tracker_units
