"""Does a method invent translation? Clips whose camera does not travel: is what it reports below its own stated 95 % bound?

    python benchmarks/never_invents.py RUN_DIR NAME [--labels SET]

Writes results/NAME.json. Reported: the largest distance of a camera centre from the first, over the scene depth. Bound: 1.96 times the
trajectory's own `translation_sigma`. A camera does not travel where the true path says so or, where no path is known, where all six
directions of translation are labelled No and the camera is not hand-held. Beside it stand three checks that do not count:

- hand-held: all labelled No, but the hands sway, by how much nobody knows;
- sways: the true path moves by less than any label; what is reported may reach that true distance plus the bound;
- travels: a direction of translation is labelled Yes. Here the share is that of clips reported ABOVE the bound: a method that never
  invents because its bounds are wide says nothing here either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from figure_tables import never_invents
from kept import Figure, run_parser, show_figure_of_run
from run_folder import Run
from scipy.stats import binomtest

from sfmcam.datasets.labelled_set import Clip
from sfmcam.geometry.rigid import camera_centers
from sfmcam.io.reference import read_reference
from sfmcam.io.trajectory_file import read_trajectory
from sfmcam.motion.depth import scene_depth
from sfmcam.motion.primitive import PRIMITIVES, Group
from sfmcam.types import CameraTrajectory

SIGMAS = 1.96
TRUE_REST = 1e-3  # scene depths: a true path that stays within is at rest; those of the renderer are at 0 or beyond 0.0015
TRANSLATIONS = tuple(p.split_name for p in PRIMITIVES if p.group is Group.TRANSLATION)
ROTATIONS = tuple(p.split_name for p in PRIMITIVES if p.group is Group.ROTATION)
ZOOMS = tuple(p.split_name for p in PRIMITIVES if p.group is Group.INTRINSIC)


class Truth(StrEnum):
    """What is true of a clip's camera."""

    STILL = "still"
    TURNS = "turns"
    ZOOMS = "zooms"
    HAND_HELD = "hand-held"
    SWAYS = "sways"
    TRAVELS = "travels"


COUNTED = (Truth.STILL, Truth.TURNS, Truth.ZOOMS)


@dataclass(frozen=True)
class Case:
    """One clip of known truth under one method.

    Attributes:
        clip: its id.
        truth: what is true of its camera.
        moved_truly: largest true distance from the first camera centre in scene depths; 0 where no path is known.
        status: of the method.
        moved: likewise as reported; None where the method failed.
        bound: the stated 95 % bound; None where none is stated.
    """

    clip: str
    truth: Truth
    moved_truly: float
    status: str
    moved: float | None
    bound: float | None

    @property
    def is_within(self) -> bool:
        """Whether what is reported stays below the bound; without a stated bound only no motion at all does."""
        allowance = self.moved_truly if self.truth is Truth.SWAYS else 0.0
        return self.moved is not None and self.moved <= allowance + (self.bound or 0.0)


def moved_over_depth(trajectory: CameraTrajectory) -> float:
    """Return the largest distance of a camera centre from the first valid one, over the scene depth that `motion` uses."""
    poses = trajectory.cam_from_world[trajectory.valid]
    centers = camera_centers(poses) - camera_centers(poses[:1])
    depth, _ = scene_depth(trajectory, centers)
    return float(np.linalg.norm(centers, axis=1).max() / np.median(depth))


def truths(run: Run) -> dict[str, tuple[Truth, float]]:
    """Return per clip what is true of its camera and how far it moved; clips of which not enough is known are left out."""
    labels: dict[str, dict[str, bool]] = {}
    for split, rows in run.labelled_set.rows.items():
        for row in rows:
            labels.setdefault(row.video, {})[split] = row.label
    found = {clip.id: _truth(run, clip, labels.get(clip.path.name, {})) for clip in run.labelled_set.clips}
    return {clip: truth for clip, truth in found.items() if truth is not None}


def _truth(run: Run, clip: Clip, labels: dict[str, bool]) -> tuple[Truth, float] | None:
    if any(labels.get(split) for split in TRANSLATIONS):
        return Truth.TRAVELS, 0.0
    entry = run.manifest.get(clip.id, {})
    if clip.poses is not None and "median_depth_m" in entry:
        centers = camera_centers(read_reference(clip.poses).cam_from_world)
        moved = float(np.linalg.norm(centers - centers[0], axis=1).max()) / float(entry["median_depth_m"])
        return (_without_travel(labels), 0.0) if moved <= TRUE_REST else (Truth.SWAYS, moved)
    if not all(labels.get(split) is False for split in TRANSLATIONS):
        return None  # nobody was sure
    return (Truth.HAND_HELD if entry.get("steadiness") == "shaky" else _without_travel(labels)), 0.0


def _without_travel(labels: dict[str, bool]) -> Truth:
    if any(labels.get(split) for split in ZOOMS):
        return Truth.ZOOMS
    return Truth.TURNS if any(labels.get(split) for split in ROTATIONS) else Truth.STILL


def cases_of(run: Run, slug: str) -> Iterator[Case]:
    """Yield every clip of known truth under one method."""
    for clip, (truth, moved_truly) in truths(run).items():
        path, status = run.trajectory(slug, clip), run.clips[slug][clip].status.value
        moved, bound = (None, None) if path is None else _reported(path)
        yield Case(clip, truth, moved_truly, status, moved, bound)


def _reported(path: Path) -> tuple[float, float | None]:
    trajectory = read_trajectory(path, "sfmcam")
    sigma = trajectory.evidence.translation_sigma
    return moved_over_depth(trajectory), SIGMAS * sigma if np.isfinite(sigma) else None


def summary(cases: list[Case]) -> dict[str, Any]:
    """Return how many stay within their bound, with the exact 95 % interval of the share, and the medians; failed clips apart."""
    answered = [case for case in cases if case.moved is not None]
    within = sum(case.is_within for case in answered)
    moved = [case.moved for case in answered if case.moved is not None]
    bounds = [case.bound for case in answered if case.bound is not None]
    interval = binomtest(within, len(answered)).proportion_ci(method="exact") if answered else None
    return {
        "clips": len(cases),
        "failed": len(cases) - len(answered),
        "without_bound": len(answered) - len(bounds),
        "within": within,
        "share": within / len(answered) if answered else None,
        "interval": [interval.low, interval.high] if interval else None,
        "median_moved": median(moved) if moved else None,
        "median_bound": median(bounds) if bounds else None,
    }


def judge(run: Run) -> Figure:
    """Return the figures of every method: all clips without travel, each truth, and the offenders."""
    methods: dict[str, Any] = {}
    for slug in run.slugs:
        cases = list(cases_of(run, slug))
        counted = [case for case in cases if case.truth in COUNTED]
        by_truth = {truth: summary([case for case in cases if case.truth is truth]) for truth in Truth if _has(cases, truth)}
        if Truth.TRAVELS in by_truth:
            by_truth[Truth.TRAVELS] = _above(by_truth[Truth.TRAVELS])
        offenders = [asdict(case) for case in counted if case.moved is not None and not case.is_within]
        kinds = Counter(run.manifest.get(case.clip, {}).get("kind", "unknown") for case in counted)
        methods[slug] = {"all": summary(counted), "kinds": dict(kinds), "by_truth": by_truth, "offenders": offenders}
    return {"sigmas": SIGMAS, "methods": methods}


def _has(cases: list[Case], truth: Truth) -> bool:
    return any(case.truth is truth for case in cases)


def _above(figures: dict[str, Any]) -> dict[str, Any]:
    """Turn the share within the bound into the share above it."""
    share, interval = figures["share"], figures["interval"]
    above = None if share is None else 1 - share
    return figures | {"share": above, "interval": None if interval is None else [1 - interval[1], 1 - interval[0]]}


def main() -> None:
    """Read the command line."""
    show_figure_of_run("never_invents", run_parser(__doc__).parse_args(), make=judge, table=never_invents)


if __name__ == "__main__":
    main()
