"""The recipe of a simulated set of point tracks: camera, scene, movers, and what lens and tracker do to the positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from sfmcam.datasets.synthetic.camera_path import Curve, Shake
from sfmcam.types import Float

REFERENCE_SIDE_PX = 384  # long side of the picture to which every length in pixels of a recipe refers


class SceneKind(StrEnum):
    """Where the points lie."""

    WALL = "wall"  # one plane, seen squarely or at a slant
    GROUND = "ground"  # a ground plane with a backdrop, houses or objects; above them a sky without points
    ROOM = "room"
    LAYERS = "layers"  # near things before a backdrop
    FAR = "far"  # all of it farther than `track_scene.FAR_BASELINES` times the camera's travel
    CLOUD = "cloud"  # depths without any order, log-uniform


@dataclass(frozen=True)
class Faults:
    """What makes tracks differ from the pinhole projection of their points; all zero: nothing does.

    Attributes:
        white_px: standard deviation of each coordinate, independent from frame to frame.
        drift_px: standard deviation of a track's random walk, per frame.
        gross_share: share of the observations that are far off.
        sliding_share: share of the tracks that begin to slide away over their surface.
        wobble_px: largest displacement of a smooth deformation of the whole picture, as generated videos have it.
        wobble_s: time over which the deformation stays similar.
        distortion: coefficient of `lens.distorted`, about the principal point.
        readout: time from the first row's exposure to the last one's, as a share of the frame interval; poses are the middle row's.
        principal_offset: the principal point's distance from the picture's centre, as shares of width and height.
    """

    white_px: float = 0.0
    drift_px: float = 0.0
    gross_share: float = 0.0
    sliding_share: float = 0.0
    wobble_px: float = 0.0
    wobble_s: float = 1.0
    distortion: float = 0.0
    readout: float = 0.0
    principal_offset: tuple[float, float] = (0.0, 0.0)


NO_FAULTS = Faults()


@dataclass(frozen=True)
class BodySpec:
    """Something that moves by itself: an upright oval with a round front, whose outer parts swing like limbs.

    Attributes:
        share: of the picture's area that it covers at `anchor`.
        place: its centre in the picture at `anchor`, as shares of width and height.
        anchor: the time at which place and size hold, as a share of the clip's.
        depth: its distance then, over the median depth of the scene.
        tallness: height over width.
        follow: share of the camera's intended motion that it takes part in: 1 keeps its place in the picture, negative goes against.
        travel: its own motion over the clip: right and down in long sides of the picture, and away from
            the camera in shares of its distance.
        turn_rad: turn about its vertical axis over the clip.
        limbs: swing of the outer parts, over the body's size.
        limbs_hz: how often they swing.
    """

    share: float
    place: tuple[float, float] = (0.5, 0.5)
    anchor: float = 0.5
    depth: float = 0.6
    tallness: float = 1.5
    follow: float = 0.0
    travel: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_rad: float = 0.0
    limbs: float = 0.0
    limbs_hz: float = 1.0


@dataclass(frozen=True)
class Sway:
    """A part of the scene that ripples: water, leaves, a crowd.

    Attributes:
        px: root mean square of each coordinate's displacement.
        hz: how often it goes there and back.
        part: share of one surface that sways, from one side on.
    """

    px: float
    hz: float
    part: float = 0.5


@dataclass(frozen=True)
class TrackClipSpec:
    """Recipe of the tracks of one clip. The same recipe gives the same tracks.

    Attributes:
        seed: source of everything random.
        plot: name of the camera's plot, for subsets.
        curves: the camera's intended path.
        shake: unsteadiness on top, or None.
        num_frames: at least two.
        fps: frames per second.
        size_px: (width, height).
        focal_over_side: focal length before zooming, over the long side.
        scene: where the points lie.
        pitch_rad: how far the camera looks above the horizon at first.
        yaw_rad: how far it looks to the right of the scene's main direction at first.
        faults: what lens and tracker do.
        bodies: what moves by itself.
        sway: what ripples, or None.
        caption: left, top, right and bottom of burnt-in lettering as shares of width and height, or None; all points there stand still.
        num_points: how many points the tracker wants alive.
        life_s: median over the points of the mean life of a track that neither leaves the picture nor is hidden.
        detect_every: frames between two searches for new points.
    """

    seed: int
    plot: str = "static"
    curves: tuple[Curve, ...] = ()
    shake: Shake | None = None
    num_frames: int = 36
    fps: float = 12.0
    size_px: tuple[int, int] = (384, 216)
    focal_over_side: float = 0.75
    scene: SceneKind = SceneKind.ROOM
    pitch_rad: float = 0.0
    yaw_rad: float = 0.0
    faults: Faults = field(default=NO_FAULTS)
    bodies: tuple[BodySpec, ...] = ()
    sway: Sway | None = None
    caption: tuple[float, float, float, float] | None = None
    num_points: int = 300
    life_s: float = 2.0
    detect_every: int = 4

    @property
    def timestamps_s(self) -> Float:
        """(N,) times of the frames."""
        return np.arange(self.num_frames) / self.fps

    @property
    def focal_px(self) -> float:
        """Focal length before zooming."""
        return self.focal_over_side * max(self.size_px)

    @property
    def reference_px(self) -> float:
        """Pixels of this clip's picture per pixel of one of `REFERENCE_SIDE_PX`."""
        return max(self.size_px) / REFERENCE_SIDE_PX
