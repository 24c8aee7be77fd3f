"""A scene with its movers and its camera, ready to be drawn at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sfmcam.datasets.synthetic.camera_path import CameraPath, picture_motion_px
from sfmcam.datasets.synthetic.finish import Edit
from sfmcam.datasets.synthetic.lens import Lens
from sfmcam.datasets.synthetic.render import SAMPLE_OFFSETS_PX, Renderer, View
from sfmcam.datasets.synthetic.scene import Mover, Scene
from sfmcam.datasets.synthetic.scenes import exteriors, halls, interiors, sparse, vistas
from sfmcam.datasets.synthetic.scenes.actors import ActorSpec, build_actors
from sfmcam.datasets.synthetic.scenes.landscape import landscape
from sfmcam.datasets.synthetic.scenes.movers import MoverSpec, build_movers
from sfmcam.datasets.synthetic.scenes.shell import start_pose
from sfmcam.datasets.synthetic.scout import scout
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.geometry.rigid import inverse
from sfmcam.types import Bool, Float, UInt8

SCENES: dict[str, Callable[[np.random.Generator], Scene]] = {
    "room": interiors.room,
    "corridor": interiors.corridor,
    "storehouse": halls.storehouse,
    "gallery": halls.gallery,
    "exhibition": halls.exhibition,
    "table_top": halls.table_top,
    "street": exteriors.street,
    "garden": exteriors.garden,
    "poster_wall": exteriors.poster_wall,
    "landscape": landscape,
    "bare_room": sparse.bare_room,
    "snowfield": sparse.snowfield,
    "village": vistas.village,
    "thicket": vistas.thicket,
}

BLUR_STEP_PX = 2.5  # between two samples of a moving picture
MOST_ROUNDS = 6  # of four samples each
DEPTH_CELL_PX = 4  # depth and masks are kept at a quarter of the picture's size


@dataclass(frozen=True)
class Stage:
    """A scene with its movers and its camera, ready to be drawn at any time.

    Attributes:
        spec: the recipe.
        path: the camera's way through the scene.
        renderer: draws the pinhole picture: the clip's own, or the larger one that a distorting `lens` bends into it.
    """

    spec: ClipSpec
    path: CameraPath
    renderer: Renderer

    @cached_property
    def lens(self) -> Lens | None:
        """The lens, or None for one that distorts nothing."""
        return Lens(self.spec.size_px, self.spec.finish.distortion) if self.spec.finish.distortion else None

    @cached_property
    def _edit(self) -> Edit:
        return Edit(self.spec.finish, self.spec.size_px, self.spec.seed)

    @property
    def cells(self) -> tuple[int, int]:
        """(columns, rows) in which depth and masks are kept."""
        return _cells(self.spec.size_px)

    def view(self, time_s: float) -> View:
        """Return the camera at a time."""
        return self.views([time_s])[0]

    def views(self, times_s: Sequence[float]) -> list[View]:
        """Return the camera at each of some times."""
        poses, focals_px = self.path.cameras(np.array(times_s))
        return [View(*camera) for camera in zip(poses, focals_px.tolist(), times_s, strict=True)]

    def frame(self, time_s: float, rng: np.random.Generator) -> UInt8:
        """Return the picture (H, W, 3) at a time, with exposure, sensor noise, bars and lettering."""
        picture = self._exposed(time_s).astype(np.float32)
        grain = rng.standard_normal((*picture.shape[:2], 1), dtype=np.float32)  # grey: 4:2:0 would take most of its colour anyway
        noisy = np.clip(np.rint(picture * self.spec.exposure + self.spec.noise * grain), 0, 255).astype(np.uint8)
        return self._edit.over(noisy, time_s / self.path.duration_s)

    def depth(self, time_s: float) -> NDArray[np.float32]:
        """Return the static scene's depth in metres at the cells' centres, NaN for the sky and below bars."""
        return np.where(self._in_picture, self._sampled(self.renderer.depth, time_s), np.float32(np.nan))

    def mover_mask(self, time_s: float) -> Bool:
        """Return where a mover is seen at the cells' centres."""
        if not self.spec.movers:
            return np.zeros(self.cells[::-1], bool)
        return np.asarray(self._in_picture & self._sampled(self.renderer.mover_mask, time_s))

    @cached_property
    def _in_picture(self) -> Bool:
        return self.spec.finish.in_picture(self.spec.size_px, self.cells)

    def _sampled(self, look: Callable[..., NDArray], time_s: float) -> NDArray:
        if self.lens is None:
            return look(self.view(time_s), self.cells)
        return self.lens.nearest(look(self.view(time_s)), self.cells)

    def _exposed(self, time_s: float) -> UInt8:
        """Return the picture as it falls on the sensor while the shutter is open."""
        times, readout_s = self._sample_times(time_s).tolist(), self.spec.finish.readout / self.spec.fps
        if readout_s:
            return self.renderer.draw_rolling(self.view, times, readout_s)
        views = dict(zip(times, self.views(times), strict=True))  # without motion blur all samples share one
        picture = self.renderer.draw([views[t] for t in times])
        return picture if self.lens is None else self.lens.bend(picture)

    def _sample_times(self, time_s: float) -> Float:
        """Return the times of a frame's samples, spread evenly over the open shutter."""
        samples = len(SAMPLE_OFFSETS_PX) * self._sample_rounds(time_s)
        centered = (np.arange(samples) + 0.5) / samples - 0.5
        return time_s + centered * (self.spec.shutter / self.spec.fps)

    def _sample_rounds(self, time_s: float) -> int:
        """Return how often every pixel is covered: what moves while the shutter is open is to blur, not to repeat."""
        if self.spec.shutter == 0:
            return 1
        open_s = self.spec.shutter / self.spec.fps
        dofs = self.path.dofs(time_s + open_s * np.linspace(-0.5, 0.5, 3))
        blur_px = picture_motion_px(dofs, float(self.path.focals_px(np.array([time_s]))[0]), self.spec.size_px)
        return int(np.clip(np.ceil(blur_px / BLUR_STEP_PX / len(SAMPLE_OFFSETS_PX)), 2, MOST_ROUNDS))


def build_stage(spec: ClipSpec) -> Stage:
    """Build the scene of a clip, measure one scene depth from the first frame, and place camera and movers."""
    rng = np.random.default_rng(spec.seed)
    scene = SCENES[spec.scene](rng)
    still = Renderer(scene, (), spec.size_px)
    path = _path(spec, scene, still)
    movers = _movers(spec, scene, path, rng)
    drawn_size = Lens(spec.size_px, spec.finish.distortion).drawn_size_px
    return Stage(spec, path, Renderer(scene, movers, drawn_size) if movers or drawn_size != spec.size_px else still)


def _path(spec: ClipSpec, scene: Scene, renderer: Renderer) -> CameraPath:
    aimed = scene.world_from_start @ start_pose(yaw_deg=spec.start_yaw_deg, pitch_deg=spec.start_pitch_deg)
    path = CameraPath(spec.curves, spec.shake, float(spec.timestamps_s[-1]), aimed, 1.0, spec.focal_px)
    if spec.scouted:
        return scout(spec, scene, renderer=renderer, path=path)
    depth = renderer.depth(View(inverse(aimed), spec.focal_px, 0.0), _cells(spec.size_px))
    return replace(path, depth_m=float(np.nanmedian(depth)))


def _movers(spec: ClipSpec, scene: Scene, path: CameraPath, rng: np.random.Generator) -> tuple[Mover, ...]:
    extras = tuple(mover for mover in spec.movers if isinstance(mover, MoverSpec))
    actors = tuple(mover for mover in spec.movers if isinstance(mover, ActorSpec))
    return build_movers(extras, scene, path, rng=rng) + build_actors(actors, scene, path, size_px=spec.size_px, rng=rng)


def _cells(size_px: tuple[int, int]) -> tuple[int, int]:
    return size_px[0] // DEPTH_CELL_PX, size_px[1] // DEPTH_CELL_PX
