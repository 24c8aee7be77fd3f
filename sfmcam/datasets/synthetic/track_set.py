"""The stage of a simulated clip: camera path, surfaces and bodies put together, and the true depth that each frame sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.track_bodies import Body, body_quads, build_bodies
from sfmcam.datasets.synthetic.track_scene import FAR_BASELINES, Reach, Surfaces, build_surfaces
from sfmcam.datasets.synthetic.track_spec import SceneKind, TrackClipSpec
from sfmcam.datasets.synthetic.track_view import Optics, View, grid_slopes
from sfmcam.geometry.rigid import camera_centers, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float

DEPTH_SAMPLES = (12, 8)  # columns and rows of the lines of sight whose median is a frame's depth
ROUNDS = 2  # the scene leaves the camera's way free, whose length is in depths of that scene


@dataclass(frozen=True)
class TrackSet:
    """Everything about a clip but its tracks.

    Attributes:
        spec: the recipe.
        path: the camera's path.
        cam_from_world: (N, 4, 4).
        surfaces: the static scene, R surfaces.
        bodies: what moves, B of them.
        view: of the surfaces and then the bodies.
        optics: from slopes to pixels.
    """

    spec: TrackClipSpec
    path: CameraPath
    cam_from_world: Float
    surfaces: Surfaces
    bodies: tuple[Body, ...]
    view: View
    optics: Optics

    def median_depth(self) -> Float:
        """Return the median depth (N,) of the static scene in each frame, over the picture's area; not for a cloud."""
        focal_px = self.optics.focal_px
        slopes = grid_slopes(self.spec.size_px, float(focal_px[0]), DEPTH_SAMPLES)
        return _median_depth(self.view.first(len(self.surfaces)), slopes, focal_px / focal_px[0])


def build_set(spec: TrackClipSpec) -> TrackSet:
    """Return the stage of a recipe."""
    rng = np.random.default_rng((spec.seed, 0))
    scene_seed = int(rng.integers(2**32))
    path = _path(spec, depth=1.0)
    surfaces = _surfaces(spec, path, scene_seed)
    if spec.scene is not SceneKind.FAR:
        for _ in range(ROUNDS):
            path = _path(spec, depth=_start_depth(spec, surfaces))
            surfaces = _surfaces(spec, path, scene_seed)
    path = _path(spec, depth=_start_depth(spec, surfaces) if spec.scene is not SceneKind.FAR else 1.0)
    poses = path.cam_from_world(spec.timestamps_s)
    bodies = build_bodies(spec, path, rng)
    quads = np.concatenate([np.repeat(_static_quads(surfaces), len(poses), axis=0), body_quads(bodies, len(poses))], axis=1)
    view = View.of(quads, poses, np.arange(quads.shape[1]) >= len(surfaces))
    principal = np.array(spec.size_px) * (0.5 + np.array(spec.faults.principal_offset))
    optics = Optics(spec.size_px, path.focals_px(spec.timestamps_s), principal, spec.faults.distortion)
    return TrackSet(spec, path, poses, surfaces, bodies, view, optics)


def _path(spec: TrackClipSpec, *, depth: float) -> CameraPath:
    level = rotation_from_vector(np.array([spec.pitch_rad, 0, 0]))
    turned = rotation_from_vector(np.array([0, spec.yaw_rad, 0]))
    start = rigid_from_parts(turned @ level, np.zeros(3))
    return CameraPath(spec.curves, spec.shake, float(spec.timestamps_s[-1]), start, depth, spec.focal_px)


def _surfaces(spec: TrackClipSpec, path: CameraPath, seed: int) -> Surfaces:
    """Draw the scene; one and the same seed gives the same scene but for what stands in the camera's way."""
    centers = camera_centers(path.cam_from_world(spec.timestamps_s))
    slope = np.array(spec.size_px) / 2 / spec.focal_px
    surfaces = build_surfaces(spec.scene, Reach(centers.min(axis=0), centers.max(axis=0), slope), np.random.default_rng(seed))
    if spec.scene is not SceneKind.FAR:
        return surfaces
    nearest = 1 / float(_look_around(spec, surfaces, path).max())
    travel = float(np.linalg.norm(np.ptp(centers, axis=0)))
    return surfaces.scaled(max(1.0, FAR_BASELINES * travel / nearest))


def _look_around(spec: TrackClipSpec, surfaces: Surfaces, path: CameraPath) -> Float:
    """Return the inverse depths (N, K) seen if the camera only turned and zoomed on the spot."""
    poses = path.cam_from_world(spec.timestamps_s)
    poses[:, :3, 3] = 0
    slopes = grid_slopes(spec.size_px, spec.focal_px, DEPTH_SAMPLES)
    return _static_view(surfaces, poses).nearest_in_all(slopes, path.focals_px(spec.timestamps_s) / spec.focal_px)


def _start_depth(spec: TrackClipSpec, surfaces: Surfaces) -> float:
    """Return the median depth seen from the start; of a cloud, that of its points there."""
    start_from_world = _path(spec, depth=1.0).world_from_start.T[None]  # a rotation about the origin
    slopes = grid_slopes(spec.size_px, spec.focal_px, DEPTH_SAMPLES)
    depth = float(_median_depth(_static_view(surfaces, start_from_world), slopes, np.ones(1))[0])
    return depth * float(np.exp(-surfaces.relief / 2)) if surfaces.is_cloud else depth


def _median_depth(view: View, slopes: Float, focal_ratio: Float) -> Float:
    inverse = view.nearest_in_all(slopes, focal_ratio)
    depth = np.where(inverse > 0, 1 / np.where(inverse > 0, inverse, 1), np.nan)
    blind = np.isnan(depth).all(axis=1)
    depth[blind] = np.nanmedian(depth) if not blind.all() else 1.0
    return np.nanmedian(depth, axis=1)


def _static_view(surfaces: Surfaces, poses: Float) -> View:
    return View.of(_static_quads(surfaces), poses, np.zeros(len(surfaces), bool))


def _static_quads(surfaces: Surfaces) -> Float:
    return np.stack([surfaces.right, surfaces.down, surfaces.corner], axis=-1)[None]
