"""What a picture of a trajectory shows, as plain lines, dots and points; the backends only paint it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.geometry.rigid import transform_points
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.types import CameraTrajectory, Float, PointCloud
from sfmcam.viz.cameras import MAX_VERTICES, ONE_SPOT, Cameras, place_cameras, thin
from sfmcam.viz.stroke import Dots, Strokes, join, polyline, segments
from sfmcam.viz.timecolor import shown_times, time_colors

MAX_POINTS = 20_000
MAX_TRAIL_FRUSTA = 200
POINT_QUANTILES = (0.02, 0.98)  # per axis: what lies outside is mostly triangulation error
POINT_GAMMA, BRIGHTEST_POINT = 0.75, 0.85  # dark points show no colour, white ones are lost on the white ground
GRID_CELLS = 10  # about this many across the cameras
GROUND_BELOW = 0.08  # of the height of what is drawn
SHADOW_ABOVE_GROUND = 0.02  # cells, so that the two do not flicker
PALE = 0.55  # share of white in the colour of the cameras between the first and the last
GRID_GREY, SHADOW_GREY = 0.86, 0.66
PATH_PX, TRAIL_PX, END_PX, BETWEEN_PX, SHADOW_PX, GRID_PX = 6.0, 2.5, 3.0, 2.0, 3.5, 1.5
START_RADIUS_PX, END_RADIUS_PX = 11.0, 8.0


@dataclass(frozen=True)
class Scene:
    """A drawable scene, in the frame of the first camera that has a pose (x right, y down, z forward) and in `unit`.

    Attributes:
        strokes: every line.
        dots: the first and the last camera centre.
        points: (M, 3) scene points.
        point_colors: (M, 3) in [0, 1].
        in_view: (K, 3) what the picture must show: cameras and path.
        trails: polylines (n, 3) that tell the motion; the viewpoint is chosen to show them long.
        grid_cell: side of a cell of the ground grid.
        unit: "scene depths" where the depth is known, else the trajectory's own.
        span_s: time of the first and last camera.
        facts: short statements for the legend.
    """

    strokes: Strokes
    dots: Dots
    points: Float
    point_colors: Float
    in_view: Float
    trails: tuple[Float, ...]
    grid_cell: float
    unit: str
    span_s: tuple[float, float]
    facts: tuple[str, ...]


def build_scene(trajectory: CameraTrajectory, points: PointCloud | None) -> Scene:
    """Turn a trajectory, and the scene points that came with it, into what is drawn.

    Raises:
        InputError: no frame has a pose.
    """
    cameras = place_cameras(trajectory)
    path = cameras.centers[thin(len(cameras.centers), MAX_VERTICES)]
    in_view = np.concatenate([path, *(cameras.frustum(i).vertices for i in cameras.shown)])
    low, high = in_view[:, 1].min(), in_view[:, 1].max()
    ground, cell = float(high + GROUND_BELOW * (high - low)), _nice(np.ptp(in_view, axis=0).max() / GRID_CELLS)
    trails, trail_strokes = _trails(cameras)
    shadow = _shadow(cameras, ground=ground - SHADOW_ABOVE_GROUND * cell)
    xyz, rgb = _scene_points(trajectory, points, unit_size=cameras.unit_size)
    clock = shown_times(cameras.times_s)
    return Scene(
        strokes=join(_grid(in_view, ground=ground, cell=cell), shadow, *_frusta(cameras), *trail_strokes),
        dots=Dots(cameras.centers[[0, -1]], cameras.colors[[0, -1]], np.array([START_RADIUS_PX, END_RADIUS_PX])),
        points=xyz,
        point_colors=rgb,
        in_view=in_view,
        trails=trails,
        grid_cell=cell,
        unit=cameras.unit,
        span_s=(float(clock[0]), float(clock[-1])),
        facts=_facts(trajectory, cameras),
    )


def _trails(cameras: Cameras) -> tuple[tuple[Float, ...], list[Strokes]]:
    """The lines that tell the motion: the path; on one spot, where the camera looks and where its upper edge and a corner go."""
    if not cameras.one_spot:
        kept = thin(len(cameras.centers), MAX_VERTICES)
        return (cameras.centers[kept],), [polyline(cameras.centers[kept], cameras.colors[kept], PATH_PX)]
    kept = thin(len(cameras.centers), MAX_TRAIL_FRUSTA)
    frusta = [cameras.frustum(i) for i in kept]
    trails = tuple(np.stack(line) for line in zip(*((f.gaze, f.tip, f.vertices[2]) for f in frusta), strict=True))
    colors = time_colors(cameras.times_s[kept])
    return trails, [polyline(t, colors, w) for t, w in zip(trails, (PATH_PX, TRAIL_PX, TRAIL_PX), strict=True)]


def _frusta(cameras: Cameras) -> list[Strokes]:
    """First and last camera in full colour; those between them pale, and on one spot without the sides, which would hide everything."""
    strokes = []
    ends = (0, len(cameras.times_s) - 1)
    for i in cameras.shown:
        frustum, color = cameras.frustum(i), cameras.colors[i]
        if i in ends:
            strokes.append(segments(frustum.edges(sides=True), color, END_PX))
        else:
            strokes.append(segments(frustum.edges(sides=not cameras.one_spot), color * (1 - PALE) + PALE, BETWEEN_PX))
    return strokes


def _grid(in_view: Float, *, ground: float, cell: float) -> Strokes:
    low = np.floor(in_view.min(axis=0) / cell - 1) * cell
    high = np.ceil(in_view.max(axis=0) / cell + 1) * cell
    xs, zs = (np.arange(low[i], high[i] + cell / 2, cell) for i in (0, 2))
    along_z = [[(x, ground, zs[0]), (x, ground, zs[-1])] for x in xs]
    along_x = [[(xs[0], ground, z), (xs[-1], ground, z)] for z in zs]
    return segments(np.array(along_z + along_x), np.full(3, GRID_GREY), GRID_PX)


def _shadow(cameras: Cameras, *, ground: float) -> Strokes:
    """The path dropped on the ground, and plumb lines from its ends: without them the eye cannot tell height from distance."""
    kept = thin(len(cameras.centers), MAX_VERTICES)
    dropped = cameras.centers[kept] * [1.0, 0.0, 1.0] + [0.0, ground, 0.0]
    grey = np.full(3, SHADOW_GREY)
    plumb = np.stack([cameras.centers[[0, -1]], dropped[[0, -1]]], axis=1)
    return join(polyline(dropped, np.tile(grey, (len(dropped), 1)), SHADOW_PX), segments(plumb, grey, GRID_PX))


def _nice(value: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9)))


def _scene_points(trajectory: CameraTrajectory, points: PointCloud | None, *, unit_size: float) -> tuple[Float, Float]:
    if points is None:
        return np.zeros((0, 3)), np.zeros((0, 3))
    first_from_world = trajectory.cam_from_world[trajectory.valid][0]
    xyz = transform_points(first_from_world, points.points_in_world) / unit_size
    known = np.isfinite(xyz).all(axis=1)
    xyz, rgb = xyz[known], points.colors_rgb[known] / 255.0
    if not len(xyz):
        return xyz, rgb
    low, high = np.quantile(xyz, POINT_QUANTILES, axis=0)
    inside = np.flatnonzero(((xyz >= low) & (xyz <= high)).all(axis=1))
    kept = inside[thin(len(inside), MAX_POINTS)] if len(inside) else inside
    return xyz[kept], rgb[kept] ** POINT_GAMMA * BRIGHTEST_POINT


def _facts(trajectory: CameraTrajectory, cameras: Cameras) -> tuple[str, ...]:
    extent = float(np.linalg.norm(np.ptp(cameras.centers, axis=0)))
    turned_deg = np.degrees(rotation_angle_rad(cameras.first_from_cam[:, :3, :3])).max()
    known = cameras.focal_ratio[np.isfinite(cameras.focal_ratio)]
    return (
        f"{trajectory.num_valid} of {len(trajectory)} frames placed",
        f"{cameras.times_s[-1] - cameras.times_s[0]:.1f} s",
        f"cameras span {_two_digits(extent)} {cameras.unit}" if extent > ONE_SPOT else "cameras on one spot",
        f"turned up to {turned_deg:.1f}\N{DEGREE SIGN}",
        f"focal length \N{MULTIPLICATION SIGN}{known[-1] / known[0]:.2f}" if len(known) else "focal length unknown",
    )


def _two_digits(value: float) -> str:
    decimals = max(0, 1 - int(np.floor(np.log10(value))))
    return f"{value:.{decimals}f}"
