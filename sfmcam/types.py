"""The values that flow between the stages: Frames -> Estimate (CameraTrajectory) -> motion.

Conventions (docs/conventions.md): transforms are `target_from_source`; camera axes are OpenCV's, x right, y down, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]
Int = NDArray[np.int64]

ROTATION_TOLERANCE = 1e-4  # a float32 file of seven digits passes, a scaled or sheared matrix does not


class Status(StrEnum):
    """What became of one shot under one estimator. The value is written into score files as the row's `error`."""

    OK = "ok"
    ROTATION_ONLY = "rotation_only"
    STILL = "still"
    MISSING_VIDEO = "missing_video"
    UNREADABLE_VIDEO = "unreadable_video"
    TOO_FEW_FRAMES = "too_few_frames"
    TOO_FEW_FEATURES = "too_few_features"
    TOO_FEW_MATCHES = "too_few_matches"
    NO_INITIAL_PAIR = "no_initial_pair"
    MAPPING_FAILED = "mapping_failed"
    TOO_FEW_REGISTERED = "too_few_registered"
    MISSING_TRAJECTORY = "missing_trajectory"
    UNREADABLE_TRAJECTORY = "unreadable_trajectory"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    INTERNAL_ERROR = "internal_error"

    @property
    def is_success(self) -> bool:
        """True exactly when a trajectory comes with it."""
        return self in (Status.OK, Status.ROTATION_ONLY, Status.STILL)

    @property
    def meaning(self) -> str:
        """One sentence for a person: what happened, and where it helps, what to try."""
        return STATUS_MEANING[self]


STATUS_MEANING: dict[Status, str] = {
    Status.OK: "Solved.",
    Status.ROTATION_ONLY: (
        "No parallax was found beyond its uncertainty: the camera turned or zoomed on the spot, or the scene is flat or far."
    ),
    Status.STILL: "No motion was found beyond the measurement noise: the camera held still.",
    Status.MISSING_VIDEO: "The labels name a video that is not in the folder.",
    Status.UNREADABLE_VIDEO: "No frame could be decoded from the file.",
    Status.TOO_FEW_FRAMES: "The shot has fewer than two different frames at this frame rate; try a higher --fps.",
    Status.TOO_FEW_FEATURES: "Too little texture: hardly any image feature was found.",
    Status.TOO_FEW_MATCHES: "The frames could not be matched to one another (blur, darkness, repeated texture or moving subjects).",
    Status.NO_INITIAL_PAIR: "Mapping found no image pair with enough parallax to start from.",
    Status.MAPPING_FAILED: "Mapping started but no consistent reconstruction came out.",
    Status.TOO_FEW_REGISTERED: "Too few frames could be placed in the reconstruction to speak for the clip.",
    Status.MISSING_TRAJECTORY: "The folder of trajectories has no file for this clip; name the file after the video.",
    Status.UNREADABLE_TRAJECTORY: "The trajectory file of this clip cannot be used.",
    Status.TIMEOUT: "The time limit was reached; try a larger --timeout or a lower --fps.",
    Status.CRASHED: "The worker process died; its last words are in the log.",
    Status.OUT_OF_MEMORY: "The worker process ran out of memory; try a lower --fps or fewer --jobs.",
    Status.INTERNAL_ERROR: "An error inside sfmcam; the traceback is in the log, please report it.",
}


class Scale(StrEnum):
    """Unit of a trajectory's translation."""

    METRIC = "metric"
    ARBITRARY = "arbitrary"


@dataclass(frozen=True)
class Frames:
    """What an estimator may look at: the frames of one shot.

    Attributes:
        images: (N, H, W, 3) uint8 RGB or, where the estimator asked for grey pictures, (N, H, W) luma; upright (rotation tag
            applied), reduced size.
        timestamps_s: (N,) presentation times in the source file, ascending.
        source_fps: mean frame rate of the source.
        source_size_px: (width, height) of the upright source picture.
        source: path of the video file or image folder.
        digest: hex digest of the source content, names the clip in caches and result files.
        problems: sentences on what could not be decoded; empty for a sound file.
    """

    images: UInt8
    timestamps_s: Float
    source_fps: float
    source_size_px: tuple[int, int]
    source: Path
    digest: str
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        is_rgb = self.images.ndim == 4 and self.images.shape[3] == 3
        if not (is_rgb or self.images.ndim == 3) or self.images.dtype != np.uint8:
            raise ValueError(f"images must be (N, H, W, 3) or (N, H, W) uint8, not {self.images.shape} {self.images.dtype}")
        if self.timestamps_s.shape != (len(self.images),):
            raise ValueError(f"{len(self.images)} images but {self.timestamps_s.shape} timestamps")
        _require_ascending(self.timestamps_s)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the images held here."""
        return int(self.images.shape[2]), int(self.images.shape[1])

    def colors_at(self, frame: Int, xy_px: Float) -> UInt8:
        """Return (M, 3) RGB of the pixels that hold the places (M, 2) of the frames numbered (M,); outside, of the nearest pixel."""
        column, row = np.clip(xy_px.astype(int), 0, np.array(self.size_px) - 1).T
        picked = self.images[frame, row, column]
        return picked if picked.ndim == 2 else np.repeat(picked[:, None], 3, axis=1)


@dataclass(frozen=True)
class Evidence:
    """How much a trajectory's numbers can be trusted. NaN: the estimator cannot say.

    Attributes:
        rotation_sigma_rad: one-sigma noise of the rotation between two frames of the clip.
        translation_sigma: one-sigma noise of the translation between two frames, in scene depths.
        log_focal_sigma: one-sigma noise of the log focal ratio between two frames.
        parallax_px: median image displacement left over when rotation and zoom are taken out, in pixels of the frames used.
        reprojection_error_px: mean reprojection error, in pixels of the frames used.
    """

    rotation_sigma_rad: float = float("nan")
    translation_sigma: float = float("nan")
    log_focal_sigma: float = float("nan")
    parallax_px: float = float("nan")
    reprojection_error_px: float = float("nan")


@dataclass(frozen=True)
class CameraTrajectory:
    """Camera path of one shot.

    Attributes:
        timestamps_s: (N,) ascending.
        cam_from_world: (N, 4, 4) float64; NaN where not `valid`. OpenCV camera axes; the world gauge is arbitrary.
        focal_px: (N,) in pixels of `image_size_px`; NaN where unknown.
        valid: (N,) True where the pose was estimated; nothing is invented elsewhere.
        median_depth: (N,) median depth of the static scene seen by each frame, in the trajectory's own unit; NaN where unknown.
        scale: unit of the translation.
        image_size_px: (width, height) that `focal_px` refers to, or None where unknown.
        evidence: noise of the above.
    """

    timestamps_s: Float
    cam_from_world: Float
    focal_px: Float
    valid: Bool
    median_depth: Float
    scale: Scale = Scale.ARBITRARY
    image_size_px: tuple[int, int] | None = None
    evidence: Evidence = field(default_factory=Evidence)

    def __post_init__(self) -> None:
        n = len(self.timestamps_s)
        shapes = {"timestamps_s": (n,), "cam_from_world": (n, 4, 4), "focal_px": (n,), "valid": (n,), "median_depth": (n,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, not {getattr(self, name).shape}")
        _require_ascending(self.timestamps_s)
        if self.valid.dtype != np.bool_:
            raise ValueError(f"valid must be boolean, not {self.valid.dtype}")
        _require_rigid(self.cam_from_world, self.valid)
        for name in ("focal_px", "median_depth"):
            wrong = np.flatnonzero(~np.isnan(getattr(self, name)) & ~(getattr(self, name) > 0))
            if len(wrong):
                raise ValueError(f"{name} of frame {wrong[0]} is {getattr(self, name)[wrong[0]]}, not positive")

    def __len__(self) -> int:
        return len(self.timestamps_s)

    @property
    def num_valid(self) -> int:
        """Number of frames with a pose."""
        return int(self.valid.sum())


@dataclass(frozen=True)
class PointCloud:
    """Scene points for pictures: (M, 3) in the trajectory's world, and (M, 3) uint8 RGB."""

    points_in_world: Float
    colors_rgb: UInt8


@dataclass(frozen=True)
class PointTracks:
    """Picture points followed from frame to frame, as a list of observations.

    Attributes:
        frame: (M,) frame number of each observation, ascending.
        track: (M,) track number of each observation, 0 to T-1; a track is seen once in each of consecutive frames, except that it may
            bridge one or two in which it could not be seen (black, blurred).
        xy_px: (M, 2) position in pixels of the frames; the first pixel's centre is at (0.5, 0.5).
        size_px: (width, height) of the frames.
        static_probability: (T,) how likely each track belongs to the static scene, 0 to 1; NaN where nobody has said.
    """

    frame: Int
    track: Int
    xy_px: Float
    size_px: tuple[int, int]
    static_probability: Float

    def __post_init__(self) -> None:
        m = len(self.frame)
        if self.track.shape != (m,) or self.xy_px.shape != (m, 2):
            raise ValueError(f"{m} frame numbers, but tracks {self.track.shape} and positions {self.xy_px.shape}")
        if m and (np.diff(self.frame) < 0).any():
            raise ValueError("observations must be ordered by frame")
        if m and int(self.track.max()) >= len(self.static_probability):
            raise ValueError(f"track {self.track.max()} has no static probability; there are {len(self.static_probability)}")

    def __len__(self) -> int:
        return len(self.static_probability)


@dataclass(frozen=True)
class DenseDepth:
    """Depth of some frames on a coarse grid, in the trajectory's own unit, for the keyframes of an estimator that has it.

    Attributes:
        frames: (K,) frame numbers, ascending.
        inverse_depth: (K, h, w) along the optical axis; cell (row v, column u) is centred on `xy_px[v, u]` of the picture.
        prior: (K, h, w) what a depth prior said, aligned, in the same unit; 0 where there was none.
        static_probability: (K, h, w) how likely the cell shows something that does not move.
        xy_px: (h, w, 2) position of each cell in the frames; the first pixel's centre is at (0.5, 0.5).
    """

    frames: Int
    inverse_depth: Float
    prior: Float
    static_probability: Float
    xy_px: Float

    def __post_init__(self) -> None:
        shape = (len(self.frames), *self.xy_px.shape[:2])
        for name in ("inverse_depth", "prior", "static_probability"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, not {getattr(self, name).shape}")


@dataclass(frozen=True)
class Hypothesis:
    """One of several motions that explain the pictures, and how much it is believed: weights of a shot's hypotheses are together 1."""

    weight: float
    trajectory: CameraTrajectory


@dataclass(frozen=True)
class Estimate:
    """Result of one estimator on one shot.

    Attributes:
        status: the reason, for success as for failure.
        trajectory: None exactly when `status` is a failure.
        message: detail behind the status (counts, thresholds), for a person.
        points: scene points for the pictures, where the estimator has some.
        tracks: the picture points that it followed, where it has some.
        hedged: the same shot's path averaged over every motion that explains the pictures, from an estimator that weighs several; what the
            motion is measured on, `trajectory` being the likeliest one.
        hypotheses: those motions; scores and probabilities are means over them. Empty: there is only the one path.
        depth: dense depth of the keyframes, from an estimator that has it.
        diagnostics: numbers worth keeping beside the result; JSON-serialisable.
    """

    status: Status
    trajectory: CameraTrajectory | None = None
    message: str = ""
    points: PointCloud | None = None
    tracks: PointTracks | None = None
    hedged: CameraTrajectory | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    depth: DenseDepth | None = None
    diagnostics: dict[str, float | int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status.is_success != (self.trajectory is not None):
            raise ValueError(f"status {self.status} {'needs' if self.status.is_success else 'forbids'} a trajectory")

    @property
    def measured(self) -> CameraTrajectory | None:
        """The path that motion is measured on: the hedged one where there is one."""
        return self.hedged or self.trajectory

    @property
    def weighed(self) -> tuple[Hypothesis, ...]:
        """What is scored: the hypotheses, or the measured path alone."""
        return self.hypotheses or (() if self.measured is None else (Hypothesis(1.0, self.measured),))


def _require_ascending(timestamps_s: Float) -> None:
    bad = np.flatnonzero(~(np.diff(timestamps_s) > 0))
    if len(bad):
        raise ValueError(f"timestamps must ascend: frame {bad[0] + 1} is at {timestamps_s[bad[0] + 1]} s after {timestamps_s[bad[0]]} s")


def _require_rigid(cam_from_world: Float, valid: Bool) -> None:
    if not np.isfinite(cam_from_world[valid]).all():
        raise ValueError("a valid frame has a pose that is not finite")
    rotations = cam_from_world[:, :3, :3]
    with np.errstate(invalid="ignore"):
        off = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
        bad = np.flatnonzero(valid & ((off > ROTATION_TOLERANCE) | (np.linalg.det(rotations) < 0)))
    if len(bad):
        raise ValueError(f"pose of frame {bad[0]} is not a rotation (off by {off[bad[0]]:.2g})")
