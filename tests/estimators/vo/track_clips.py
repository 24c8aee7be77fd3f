"""Simulated tracks for the tests of `vo`, what a mirror or a projector would make of them, and `vo` without its tracker."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np

from sfmcam.config import RunConfig
from sfmcam.datasets.synthetic.camera_path import Curve, DollyZoom, Move
from sfmcam.datasets.synthetic.track_simulation import simulate
from sfmcam.datasets.synthetic.track_spec import Faults, SceneKind, TrackClipSpec
from sfmcam.estimators.vo import Vo
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES, Dof
from sfmcam.motion.score import score_primitives
from sfmcam.types import CameraTrajectory, Estimate, Float, Frames, PointTracks

FAULTS = Faults(white_px=0.15, drift_px=0.02, gross_share=0.01)
MOVES: dict[str, tuple[Curve, ...]] = {
    "static": (),
    "pan": (Move(Dof.PAN, np.radians(15)),),
    "tilt": (Move(Dof.TILT, np.radians(10)),),
    "roll": (Move(Dof.ROLL, np.radians(15)),),
    "truck": (Move(Dof.RIGHT, 0.35),),
    "pedestal": (Move(Dof.DOWN, 0.25),),
    "dolly": (Move(Dof.IN, 0.35),),
    "zoom": (Move(Dof.ZOOM, 0.35),),
    "zoom_out": (Move(Dof.ZOOM, -0.35),),
    "dolly_zoom": (DollyZoom(0.35),),
    "dolly_zoom_out": (DollyZoom(-0.5),),
    "walk": (Move(Dof.PAN, np.radians(8)), Move(Dof.RIGHT, 0.3), Move(Dof.ROLL, np.radians(5)), Move(Dof.DOWN, 0.15)),
}


@dataclass(frozen=True)
class TrackClip:
    """Tracks with their times, and the true camera path where one is known."""

    tracks: PointTracks
    timestamps_s: Float
    truth: CameraTrajectory | None = None


@cache
def clip(name: str, scene: SceneKind = SceneKind.LAYERS, seed: int = 3, num_frames: int = 36, fps: float = 12.0) -> TrackClip:
    """Simulate one of MOVES."""
    made = simulate(TrackClipSpec(seed, name, MOVES[name], scene=scene, faults=FAULTS, num_frames=num_frames, fps=fps))
    return TrackClip(made.tracks, made.timestamps_s, made.trajectory)


def estimate(given: TrackClip, *, seed: int = 0, options: VoOptions | None = None) -> Estimate:
    """Return what `vo` says of a clip whose points were followed by somebody else."""
    width, height = given.tracks.size_px
    images = np.zeros((len(given.timestamps_s), height, width), np.uint8)
    frames = Frames(images, given.timestamps_s, 12.0, given.tracks.size_px, Path("made-by-the-test"), "0" * 64)
    estimator = Vo(options or VoOptions(), RunConfig(seed=seed))
    with patch("sfmcam.estimators.vo.estimator.track_points", return_value=given.tracks), tempfile.TemporaryDirectory() as folder:
        return estimator.estimate(frames, workspace=Path(folder))


def path_of(found: Estimate) -> CameraTrajectory:
    """Return the likeliest camera path, which must be there."""
    assert found.trajectory is not None, f"{found.status}: {found.message}"
    return found.trajectory


def hedged_of(found: Estimate) -> CameraTrajectory:
    """Return the mean path over the motion models, on which motion is measured and scored."""
    assert found.hedged is not None, f"{found.status}: {found.message}"
    return found.hedged


def net(trajectory: CameraTrajectory) -> Float:
    """Return (7,) the change of each degree of freedom from the first frame to the last."""
    return measure(trajectory).net


def scores(trajectory: CameraTrajectory) -> dict[str, float]:
    """Return the 15 scores."""
    return score_primitives(measure(trajectory))


def mirrored(given: TrackClip) -> TrackClip:
    """Swap left and right."""
    return _placed(given, lambda xy: np.column_stack([given.tracks.size_px[0] - xy[:, 0], xy[:, 1]]))


def upside_down(given: TrackClip) -> TrackClip:
    """Swap top and bottom."""
    return _placed(given, lambda xy: np.column_stack([xy[:, 0], given.tracks.size_px[1] - xy[:, 1]]))


def half_turned(given: TrackClip) -> TrackClip:
    """Turn the picture by half a circle."""
    return mirrored(upside_down(given))


def reversed_in_time(given: TrackClip) -> TrackClip:
    """Play backwards."""
    last = len(given.timestamps_s) - 1
    tracks = _ordered(given.tracks, last - given.tracks.frame)
    return TrackClip(tracks, given.timestamps_s[-1] - given.timestamps_s[::-1])


def every_second_frame(given: TrackClip) -> TrackClip:
    """Halve the frame rate; the first frame stays."""
    kept = given.tracks.frame % 2 == 0
    tracks = given.tracks
    frame, track, xy_px = tracks.frame[kept] // 2, tracks.track[kept], tracks.xy_px[kept]
    return TrackClip(PointTracks(frame, track, xy_px, tracks.size_px, tracks.static_probability), given.timestamps_s[::2])


def enlarged(given: TrackClip, factor: int = 2) -> TrackClip:
    """Take the same picture at a higher resolution."""
    width, height = given.tracks.size_px
    tracks = replace(given.tracks, xy_px=given.tracks.xy_px * factor, size_px=(factor * width, factor * height))
    return TrackClip(tracks, given.timestamps_s)


def letterboxed(given: TrackClip, bar_px: int = 40) -> TrackClip:
    """Add a bar without points above and below."""
    width, height = given.tracks.size_px
    tracks = replace(given.tracks, xy_px=given.tracks.xy_px + np.array([0, bar_px]), size_px=(width, height + 2 * bar_px))
    return TrackClip(tracks, given.timestamps_s)


def renumbered(given: TrackClip, seed: int = 0) -> TrackClip:
    """Give the tracks other numbers, and the rows of a frame another order."""
    rng = np.random.default_rng(seed)
    tracks = given.tracks
    shuffled = rng.permutation(len(tracks.frame))
    rows = shuffled[np.argsort(tracks.frame[shuffled], kind="stable")]
    number = rng.permutation(len(tracks))
    return TrackClip(
        PointTracks(tracks.frame[rows], number[tracks.track[rows]], tracks.xy_px[rows], tracks.size_px, tracks.static_probability),
        given.timestamps_s,
    )


def swapped_scores(given: dict[str, float], dofs: tuple[Dof, ...]) -> dict[str, float]:
    """Return the scores with every primitive of some degrees of freedom in place of its opposite."""
    return {p.id: given[p.opposite if p.opposite and p.dof in dofs else p.id] for p in PRIMITIVES}


def _placed(given: TrackClip, place: Callable[[Float], Float]) -> TrackClip:
    return TrackClip(replace(given.tracks, xy_px=place(given.tracks.xy_px)), given.timestamps_s)


def _ordered(tracks: PointTracks, frame: np.ndarray) -> PointTracks:
    order = np.argsort(frame, kind="stable")
    return PointTracks(frame[order], tracks.track[order], tracks.xy_px[order], tracks.size_px, tracks.static_probability)
