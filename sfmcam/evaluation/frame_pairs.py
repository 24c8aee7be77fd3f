"""Which frame of an estimate is compared with which frame of a reference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sfmcam.geometry.timeline import half_interval_s, match_times
from sfmcam.types import CameraTrajectory, Int


class Pairing(StrEnum):
    """How frames are paired."""

    TIME = "time"
    INDEX = "index"


@dataclass(frozen=True)
class FramePairs:
    """Frames that have a pose in both trajectories.

    Attributes:
        own: (K,) rows of the estimate, ascending.
        true: (K,) rows of the reference, ascending.
        answered: share of the estimate's frames with a posed partner in the reference that have a pose themselves; NaN if none has.
        tolerance_s: largest difference in time that was allowed; NaN where frames were paired by their number.
        apart_s: largest difference in time of a pair; NaN where there is none, or frames were paired by their number.
    """

    own: Int
    true: Int
    answered: float
    tolerance_s: float = float("nan")
    apart_s: float = float("nan")

    def __len__(self) -> int:
        return len(self.own)


def pair_by_time(
    estimate: CameraTrajectory, reference: CameraTrajectory, *, tolerance_s: float | None = None, offset_s: float = 0.0
) -> FramePairs:
    """Pair the frames that are each other's nearest in time.

    Args:
        estimate: the estimate.
        reference: the reference; its frames without a pose have no partner.
        tolerance_s: largest difference of a pair; half of the reference's frame interval where it is not given.
        offset_s: added to the estimate's times.
    """
    posed_rows = np.flatnonzero(reference.valid)
    times_s = reference.timestamps_s[posed_rows]
    tolerance_s = half_interval_s(times_s) if tolerance_s is None else tolerance_s
    shifted_s = estimate.timestamps_s + offset_s
    own, nth = match_times(shifted_s, times_s, tolerance_s=tolerance_s)
    posed = estimate.valid[own]
    apart_s = np.abs(shifted_s[own] - times_s[nth])[posed].max(initial=-np.inf)
    return FramePairs(
        own[posed],
        posed_rows[nth[posed]],
        float(posed.mean()) if len(posed) else float("nan"),
        tolerance_s,
        float(apart_s) if np.isfinite(apart_s) else float("nan"),
    )


def pair_by_index(estimate: CameraTrajectory, reference: CameraTrajectory) -> FramePairs:
    """Pair the first frame with the first, the second with the second, up to the end of the shorter trajectory."""
    n = min(len(estimate), len(reference))
    partners = np.flatnonzero(reference.valid[:n])
    posed = estimate.valid[partners]
    return FramePairs(partners[posed], partners[posed], float(posed.mean()) if len(posed) else float("nan"))
