"""A clip from its recipe: `render_clip(ClipSpec) -> RenderedClip`, pictures together with everything that is true about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sfmcam.datasets.synthetic.camera_path import CameraPath, Curve, Shake
from sfmcam.datasets.synthetic.render import SAMPLE_OFFSETS_PX, Renderer, View
from sfmcam.datasets.synthetic.scene import Scene
from sfmcam.datasets.synthetic.scenes import exteriors, halls, interiors
from sfmcam.datasets.synthetic.scenes.landscape import landscape
from sfmcam.datasets.synthetic.scenes.movers import MoverSpec, build_movers
from sfmcam.datasets.synthetic.scenes.shell import start_pose
from sfmcam.geometry.rigid import inverse
from sfmcam.types import Bool, CameraTrajectory, Float, Scale, UInt8

SCENES: dict[str, Callable[[np.random.Generator], Scene]] = {
    "room": interiors.room,
    "corridor": interiors.corridor,
    "storehouse": halls.storehouse,
    "gallery": halls.gallery,
    "table_top": halls.table_top,
    "street": exteriors.street,
    "garden": exteriors.garden,
    "poster_wall": exteriors.poster_wall,
    "landscape": landscape,
}

DEPTH_CELL_PX = 4  # depth and masks are kept at a quarter of the picture's size


@dataclass(frozen=True)
class ClipSpec:
    """Recipe of one clip. The same recipe gives the same clip.

    Attributes:
        id: name of the clip and of its files.
        scene: a key of SCENES.
        seed: source of everything random.
        curves: the camera's intended path.
        shake: unsteadiness on top, or None for a tripod, a dolly or a gimbal.
        movers: what moves by itself.
        size_px: (width, height), both even.
        fps: frames per second.
        seconds: length.
        hfov_deg: horizontal field of view before zooming.
        start_yaw_deg: where the camera looks at first, to the right of the scene's main direction.
        start_pitch_deg: where the camera looks at first, above the scene's own pitch.
        shutter: share of the frame interval during which the shutter is open; 0 draws without motion blur.
        noise: standard deviation of the sensor noise, in 8-bit steps.
        exposure: factor on the brightness.
        crf: quality of the H.264 encoding, 18 (fine) to 32 (coarse).
    """

    id: str
    scene: str
    seed: int
    curves: tuple[Curve, ...] = ()
    shake: Shake | None = None
    movers: tuple[MoverSpec, ...] = ()
    size_px: tuple[int, int] = (480, 270)
    fps: float = 24.0
    seconds: float = 2.2
    hfov_deg: float = 64.0
    start_yaw_deg: float = 0.0
    start_pitch_deg: float = 0.0
    shutter: float = 0.0
    noise: float = 1.5
    exposure: float = 1.0
    crf: int = 20

    @property
    def timestamps_s(self) -> Float:
        """(N,) times of the frames."""
        return np.arange(max(round(self.seconds * self.fps), 2)) / self.fps

    @property
    def focal_px(self) -> float:
        """Focal length before zooming."""
        return float(self.size_px[0] / 2 / np.tan(np.radians(self.hfov_deg) / 2))


@dataclass(frozen=True)
class RenderedClip:
    """Frames and their truth.

    Attributes:
        spec: the recipe.
        frames: (N, H, W, 3) uint8 RGB.
        timestamps_s: (N,).
        cam_from_world: (N, 4, 4), world in metres, OpenCV camera axes; at the middle of the exposure.
        focal_px: (N,); the principal point is (W/2, H/2) and the first pixel's centre lies at (0.5, 0.5).
        depth: (N, H//4, W//4) float32 depth of the static scene along the optical axis in metres, movers left out; NaN for the sky.
            Row i, column j is exact at the picture position ((j + 0.5) W / (W//4), (i + 0.5) H / (H//4)).
        mover_masks: (N, H//4, W//4) where a mover is seen, at the same positions.
        path: the camera's path, with and without shake.
    """

    spec: ClipSpec
    frames: UInt8
    timestamps_s: Float
    cam_from_world: Float
    focal_px: Float
    depth: NDArray[np.float32]
    mover_masks: Bool
    path: CameraPath

    @property
    def median_depth(self) -> Float:
        """(N,) median depth of the static scene, in metres."""
        return np.nanmedian(self.depth.reshape(len(self.depth), -1), axis=1).astype(float)

    def trajectory(self) -> CameraTrajectory:
        """Return the true camera path."""
        return CameraTrajectory(
            timestamps_s=self.timestamps_s,
            cam_from_world=self.cam_from_world,
            focal_px=self.focal_px,
            valid=np.ones(len(self.timestamps_s), bool),
            median_depth=self.median_depth,
            scale=Scale.METRIC,
            image_size_px=self.spec.size_px,
        )


@dataclass(frozen=True)
class Stage:
    """A scene with its movers and its camera, ready to be drawn at any time."""

    spec: ClipSpec
    path: CameraPath
    renderer: Renderer

    def view(self, time_s: float) -> View:
        """Return the camera at a time."""
        times = np.array([time_s])
        return View(self.path.cam_from_world(times)[0], float(self.path.focals_px(times)[0]), time_s)

    def frame(self, time_s: float, rng: np.random.Generator) -> UInt8:
        """Return the picture (H, W, 3) at a time, with exposure and sensor noise."""
        picture = self.renderer.draw([self.view(t) for t in self._sample_times(time_s).tolist()]).astype(np.float32)
        grain = rng.standard_normal((*picture.shape[:2], 1), dtype=np.float32)  # grey: 4:2:0 would take most of its colour anyway
        return np.clip(np.rint(picture * self.spec.exposure + self.spec.noise * grain), 0, 255).astype(np.uint8)

    def _sample_times(self, time_s: float) -> Float:
        """Return the times of a frame's samples, spread evenly over the open shutter."""
        samples = len(SAMPLE_OFFSETS_PX) * (2 if self.spec.shutter > 0 else 1)
        centered = (np.arange(samples) + 0.5) / samples - 0.5
        return time_s + centered * (self.spec.shutter / self.spec.fps)


def build_stage(spec: ClipSpec) -> Stage:
    """Build the scene of a clip, measure one scene depth from the first frame, and place camera and movers."""
    rng = np.random.default_rng(spec.seed)
    scene = SCENES[spec.scene](rng)
    aimed = scene.world_from_start @ start_pose(yaw_deg=spec.start_yaw_deg, pitch_deg=spec.start_pitch_deg)
    path = CameraPath(spec.curves, spec.shake, float(spec.timestamps_s[-1]), aimed, 1.0, spec.focal_px)
    still = Renderer(scene, (), spec.size_px)
    depth = still.depth(View(inverse(aimed), spec.focal_px, 0.0), _cells(spec.size_px))
    path = replace(path, depth_m=float(np.nanmedian(depth)))
    movers = build_movers(spec.movers, scene, path, rng=rng)
    return Stage(spec, path, Renderer(scene, movers, spec.size_px) if movers else still)


def render_clip(spec: ClipSpec) -> RenderedClip:
    """Draw every frame of a clip, with depth and mover masks."""
    stage = build_stage(spec)
    times, cells = spec.timestamps_s, _cells(spec.size_px)
    frames = [stage.frame(t, np.random.default_rng((spec.seed, index))) for index, t in enumerate(times.tolist())]
    views = [stage.view(t) for t in times.tolist()]
    return RenderedClip(
        spec=spec,
        frames=np.stack(frames),
        timestamps_s=times,
        cam_from_world=stage.path.cam_from_world(times),
        focal_px=stage.path.focals_px(times),
        depth=np.stack([stage.renderer.depth(view, cells) for view in views]),
        mover_masks=np.stack([stage.renderer.mover_mask(view, cells) for view in views]),
        path=stage.path,
    )


def _cells(size_px: tuple[int, int]) -> tuple[int, int]:
    return size_px[0] // DEPTH_CELL_PX, size_px[1] // DEPTH_CELL_PX
