"""Point tracks without pictures: `simulate(TrackClipSpec) -> SimulatedTracks`, thousands of clips in minutes, and what is true of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.camera_path import picture_motion_px
from sfmcam.datasets.synthetic.labels import Label, Thresholds, static_label, sure_direction_labels
from sfmcam.datasets.synthetic.track_faults import captioned, displacements, in_picture_from_birth, kept_numbers, swaying, true_pixels
from sfmcam.datasets.synthetic.track_set import TrackSet, build_set
from sfmcam.datasets.synthetic.track_spec import TrackClipSpec
from sfmcam.datasets.synthetic.track_subsets import subsets_of_tracks
from sfmcam.datasets.synthetic.track_walk import Walk, Walker
from sfmcam.motion.primitive import Dof
from sfmcam.types import Bool, CameraTrajectory, Float, PointTracks, Scale

_WALK, _FAULTS = 1, 2  # random streams of a clip beside the stage's: the true tracks are the same whatever the faults


@dataclass(frozen=True)
class SimulatedTracks:
    """Tracks and their truth.

    Attributes:
        spec: the recipe.
        tracks: as a tracker would give them; `static_probability` is NaN throughout.
        timestamps_s: (N,).
        trajectory: the true camera path with focal lengths, and the median depth of the static scene over the picture's area.
        is_static: (T,) True where the point belongs to the static scene, whether or not the tracker slid off it; bodies, what sways
            and lettering do not.
        points_in_world: (T, 3) of the points on static surfaces; NaN for bodies and lettering.
        labels: per primitive, by the rules of `labels.label_clip`.
        kinds: subsets that the clip belongs to, as "pure", "movers", "zoom_against_dolly", "scene_wall"; see `track_subsets`.
    """

    spec: TrackClipSpec
    tracks: PointTracks
    timestamps_s: Float
    trajectory: CameraTrajectory
    is_static: Bool
    points_in_world: Float
    labels: dict[str, Label]
    kinds: tuple[str, ...]


def simulate(spec: TrackClipSpec) -> SimulatedTracks:
    """Return the tracks of a recipe. The same recipe gives the same tracks."""
    stage = build_set(spec)
    walk = Walker(stage, np.random.default_rng((spec.seed, _WALK))).walk()
    rng = np.random.default_rng((spec.seed, _FAULTS))
    is_swaying = swaying(stage, walk, rng)
    is_caption, pixels = captioned(stage, walk, true_pixels(stage, walk))
    pixels = pixels + displacements(stage, walk, pixels, is_swaying=is_swaying & ~is_caption, rng=rng)
    kept = in_picture_from_birth(walk, stage.optics.contains(pixels, 0.0))
    numbers, track = kept_numbers(walk.track, kept, len(walk.surface))
    is_on_surface = (walk.surface < len(stage.surfaces)) & ~is_caption
    trajectory = _trajectory(stage, walk)
    labels = _labels(stage, trajectory)
    return SimulatedTracks(
        spec=spec,
        tracks=PointTracks(walk.frame[kept], track, pixels[kept], spec.size_px, np.full(len(numbers), np.nan)),
        timestamps_s=spec.timestamps_s,
        trajectory=trajectory,
        is_static=(is_on_surface & ~is_swaying)[numbers],
        points_in_world=_points(walk, is_on_surface)[numbers],
        labels=labels,
        kinds=subsets_of_tracks(spec, labels),
    )


def _trajectory(stage: TrackSet, walk: Walk) -> CameraTrajectory:
    count = stage.spec.num_frames
    return CameraTrajectory(
        timestamps_s=stage.spec.timestamps_s,
        cam_from_world=stage.cam_from_world,
        focal_px=stage.optics.focal_px,
        valid=np.ones(count, bool),
        median_depth=_cloud_depth(stage, walk) if stage.surfaces.is_cloud else stage.median_depth(),
        scale=Scale.METRIC,
        image_size_px=stage.spec.size_px,
    )


def _cloud_depth(stage: TrackSet, walk: Walk) -> Float:
    """Return the median depth (N,) of the observed static points; a frame without any takes the clip's."""
    pose = stage.cam_from_world[walk.frame]
    depth = np.einsum("mj,mj->m", pose[:, 2, :3], walk.points_in_world) + pose[:, 2, 3]
    is_static = (walk.surface < len(stage.surfaces))[walk.track]
    default = float(np.median(depth[is_static])) if is_static.any() else stage.path.depth_m
    parts = [depth[is_static & (walk.frame == frame)] for frame in range(stage.spec.num_frames)]
    return np.array([np.median(part) if len(part) else default for part in parts])


def _labels(stage: TrackSet, trajectory: CameraTrajectory) -> dict[str, Label]:
    bounds, times = Thresholds(), stage.spec.timestamps_s
    unit = np.ones(len(Dof))
    unit[Dof.RIGHT : Dof.ZOOM] = stage.path.depth_m / float(np.median(trajectory.median_depth))
    labels = sure_direction_labels(stage.path.intended_dofs(times) * unit, bounds)
    motion_px = picture_motion_px(stage.path.dofs(times) * unit, float(trajectory.focal_px.max()), stage.spec.size_px)
    return labels | {"static": static_label(motion_px, bounds)}


def _points(walk: Walk, is_on_surface: Bool) -> Float:
    out = np.full((len(walk.surface), 3), np.nan)
    out[walk.track] = walk.points_in_world
    out[~is_on_surface] = np.nan
    return out
