"""What a picture of a trajectory shows, as plain lines, dots and points; the backends only paint it.

Everything is in the frame of the first camera that has a pose (x right, y down, z forward), in scene depths where the
depth is known and in the trajectory's own unit where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.errors import InputError
from sfmcam.geometry.rigid import inverse, transform_points
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.types import CameraTrajectory, Float, Int, PointCloud, Scale
from sfmcam.viz.frustum import Frustum, camera_frustum
from sfmcam.viz.stroke import Dots, Strokes, join, polyline, segments
from sfmcam.viz.timecolor import shown_times, time_colors

MAX_FRUSTA = 9  # more of them hide one another
MAX_PATH_VERTICES = 2000
MAX_POINTS = 20_000
POINT_QUANTILES = (0.02, 0.98)  # per axis: what lies outside is mostly triangulation error
ONE_SPOT_DEPTHS = 0.02  # centres that span less than this read as one spot
GRID_CELLS = 10  # about this many across the cameras
PALE = 0.55  # share of white in the colour of the cameras between the first and the last
GRID_GREY, SHADOW_GREY = 0.86, 0.66
POINT_GAMMA, BRIGHTEST_POINT = 0.75, 0.85  # dark points show no colour, white ones are lost on the white ground


@dataclass(frozen=True)
class Scene:
    """A drawable scene.

    Attributes:
        strokes: every line.
        dots: camera centres that are marked.
        points: (M, 3) scene points.
        point_colors: (M, 3) in [0, 1].
        first_center: (3,) where "start" is written.
        last_center: (3,) where "end" is written.
        in_view: (K, 3) what the picture must show: cameras and path.
        trails: polylines (n, 3) that tell the motion; the viewpoint is chosen to show them long.
        grid_cell: side of a cell of the ground grid.
        unit: name of the unit, e.g. "scene depths".
        span_s: time of the first and last camera.
        facts: short statements for the legend.
    """

    strokes: Strokes
    dots: Dots
    points: Float
    point_colors: Float
    first_center: Float
    last_center: Float
    in_view: Float
    trails: tuple[Float, ...]
    grid_cell: float
    unit: str
    span_s: tuple[float, float]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class _Cameras:
    """The valid cameras in the first one's frame, in drawing units."""

    times_s: Float
    cam0_from_cam: Float
    focal_ratio: Float  # focal over picture width; NaN where unknown
    aspect: float
    centers: Float
    unit_size: float
    unit: str
    frusta: tuple[Frustum, ...]
    shown: Int  # indices of the cameras whose frustum is drawn
    one_spot: bool

    @property
    def colors(self) -> Float:
        """(n, 3) colour of each camera."""
        return time_colors(self.times_s)


def build_scene(trajectory: CameraTrajectory, points: PointCloud | None) -> Scene:
    """Turn a trajectory, and the scene points that came with it, into what is drawn.

    Raises:
        InputError: no frame has a pose.
    """
    cameras = _place(trajectory)
    corners = np.concatenate([f.vertices for f in cameras.frusta])
    in_view = np.concatenate([cameras.centers[_thin(len(cameras.centers), MAX_PATH_VERTICES)], corners])
    ground, cell = _ground_level(in_view), _nice(np.ptp(in_view, axis=0).max() / GRID_CELLS)
    xyz, rgb = _scene_points(trajectory, points, cameras)
    clock = shown_times(cameras.times_s)
    shadow = _shadow(cameras, ground=ground - 0.02 * cell)
    return Scene(
        strokes=join(_grid(in_view, ground=ground, cell=cell), shadow, *_frustum_strokes(cameras), *_trail_strokes(cameras)),
        dots=Dots(cameras.centers[[0, -1]], cameras.colors[[0, -1]], np.array([11.0, 8.0])),
        points=xyz,
        point_colors=rgb,
        first_center=cameras.centers[0],
        last_center=cameras.centers[-1],
        in_view=in_view,
        trails=_trails(cameras),
        grid_cell=cell,
        unit=cameras.unit,
        span_s=(float(clock[0]), float(clock[-1])),
        facts=_facts(trajectory, cameras),
    )


def _place(trajectory: CameraTrajectory) -> _Cameras:
    if not trajectory.num_valid:
        raise InputError("the trajectory has no frame with a pose, so there is nothing to draw")
    valid = trajectory.valid
    cam_from_world = trajectory.cam_from_world[valid]
    cam0_from_cam = cam_from_world[0] @ inverse(cam_from_world)
    size, unit = _unit(trajectory)
    cam0_from_cam[:, :3, 3] /= size
    centers = cam0_from_cam[:, :3, 3]
    extent = float(np.linalg.norm(np.ptp(centers, axis=0)))
    has_depth = unit == "scene depths"
    one_spot = extent < (ONE_SPOT_DEPTHS if has_depth else 1e-9)
    width, height = trajectory.image_size_px or (16, 9)
    focal_ratio = _focal_ratio(trajectory)
    shown = _thin(len(centers), MAX_FRUSTA)
    depth = _frustum_depth(centers, extent, has_depth=has_depth)
    frusta = tuple(camera_frustum(cam0_from_cam[i], focal_ratio[i], aspect=height / width, depth=depth) for i in shown)
    return _Cameras(
        trajectory.timestamps_s[valid], cam0_from_cam, focal_ratio, height / width, centers, size, unit, frusta, shown, one_spot
    )


def _unit(trajectory: CameraTrajectory) -> tuple[float, str]:
    depth = trajectory.median_depth[trajectory.valid]
    if np.isfinite(depth).any():
        return float(np.nanmedian(depth)), "scene depths"
    return 1.0, "m" if trajectory.scale is Scale.METRIC else "file units"


def _focal_ratio(trajectory: CameraTrajectory) -> Float:
    """(n,) focal over picture width of the valid frames; relative to a usual lens where the picture size is unknown."""
    focal = trajectory.focal_px[trajectory.valid]
    if trajectory.image_size_px is not None:
        return focal / trajectory.image_size_px[0]
    known = focal[np.isfinite(focal)]
    return focal / known[0] * Frustum.USUAL_FOCAL_RATIO if len(known) else focal


def _frustum_depth(centers: Float, extent: float, *, has_depth: bool) -> float:
    """Depth of the drawn frusta: a share of the path, less on a winding one, never so small that a still camera seems to travel."""
    arc = float(np.linalg.norm(np.diff(centers, axis=0), axis=1).sum())
    share = 0.28 * extent / arc if arc > 0 else 0.0
    size = max(share, 0.08) * extent
    if has_depth:
        return float(max(size, 0.12))
    return float(size) if extent > 1e-9 else 1.0


def _thin(count: int, limit: int) -> Int:
    """Indices of at most `limit` of `count` items, evenly spread, first and last included."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(np.int64))


def _trails(cameras: _Cameras) -> tuple[Float, ...]:
    if not cameras.one_spot:
        return (cameras.centers,)
    every = [camera_frustum(p, f, aspect=cameras.aspect, depth=cameras.frusta[0].depth) for p, f in _each(cameras)]
    # On one spot the motion shows in where the camera looks, and in where its upper edge and a corner go.
    return tuple(np.stack(v) for v in zip(*((f.gaze, f.tip, f.vertices[2]) for f in every), strict=True))


def _each(cameras: _Cameras) -> list[tuple[Float, float]]:
    keep = _thin(len(cameras.centers), 200)
    return [(cameras.cam0_from_cam[i], float(cameras.focal_ratio[i])) for i in keep]


def _trail_strokes(cameras: _Cameras) -> list[Strokes]:
    trails = _trails(cameras)
    widths = (6.0,) if not cameras.one_spot else (6.0, 2.5, 2.5)
    strokes = []
    for trail, width in zip(trails, widths, strict=True):
        keep = _thin(len(trail), MAX_PATH_VERTICES)
        index = _thin(len(cameras.times_s), 200) if cameras.one_spot else np.arange(len(cameras.times_s))
        strokes.append(polyline(trail[keep], time_colors(cameras.times_s[index])[keep], width))
    return strokes


def _frustum_strokes(cameras: _Cameras) -> list[Strokes]:
    strokes = []
    last = len(cameras.frusta) - 1
    for k, frustum in enumerate(cameras.frusta):
        color = cameras.colors[cameras.shown[k]]
        if k in (0, last):
            strokes.append(segments(frustum.edges(sides=True), color, 3.0))
        else:
            pale = color * (1 - PALE) + PALE
            strokes.append(segments(frustum.edges(sides=not cameras.one_spot), pale, 2.0))
    return strokes


def _ground_level(in_view: Float) -> float:
    low, high = in_view[:, 1].min(), in_view[:, 1].max()
    return float(high + 0.08 * (high - low))


def _grid(in_view: Float, *, ground: float, cell: float) -> Strokes:
    low = np.floor(in_view.min(axis=0) / cell - 1) * cell
    high = np.ceil(in_view.max(axis=0) / cell + 1) * cell
    xs, zs = (np.arange(low[i], high[i] + cell / 2, cell) for i in (0, 2))
    along_z = [[(x, ground, zs[0]), (x, ground, zs[-1])] for x in xs]
    along_x = [[(xs[0], ground, z), (xs[-1], ground, z)] for z in zs]
    return segments(np.array(along_z + along_x), np.full(3, GRID_GREY), 1.5)


def _shadow(cameras: _Cameras, *, ground: float) -> Strokes:
    """The path dropped on the ground, and plumb lines from its ends: without them the eye cannot tell height from distance."""
    keep = _thin(len(cameras.centers), MAX_PATH_VERTICES)
    dropped = cameras.centers[keep] * [1.0, 0.0, 1.0] + [0.0, ground, 0.0]
    grey = np.full(3, SHADOW_GREY)
    plumb = np.stack([cameras.centers[[0, -1]], dropped[[0, -1]]], axis=1)
    return join(polyline(dropped, np.tile(grey, (len(dropped), 1)), 3.5), segments(plumb, grey, 1.5))


def _nice(value: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9)))


def _scene_points(trajectory: CameraTrajectory, points: PointCloud | None, cameras: _Cameras) -> tuple[Float, Float]:
    if points is None or not len(points.points_in_world):
        return np.zeros((0, 3)), np.zeros((0, 3))
    first = trajectory.cam_from_world[trajectory.valid][0]
    xyz = transform_points(first, points.points_in_world) / cameras.unit_size
    finite = np.isfinite(xyz).all(axis=1)
    xyz, rgb = xyz[finite], points.colors_rgb[finite] / 255.0
    if not len(xyz):
        return xyz, rgb
    low, high = np.quantile(xyz, POINT_QUANTILES, axis=0)
    inside = np.flatnonzero(((xyz >= low) & (xyz <= high)).all(axis=1))
    keep = inside[_thin(len(inside), MAX_POINTS)] if len(inside) else inside
    return xyz[keep], rgb[keep] ** POINT_GAMMA * BRIGHTEST_POINT


def _plain(value: float) -> str:
    return f"{value:.{max(0, 2 - int(np.floor(np.log10(value))) - 1)}f}" if value < 100 else f"{value:.0f}"


def _facts(trajectory: CameraTrajectory, cameras: _Cameras) -> tuple[str, ...]:
    extent = float(np.linalg.norm(np.ptp(cameras.centers, axis=0)))
    turned = np.degrees(rotation_angle_rad(cameras.cam0_from_cam[:, :3, :3])).max()
    facts = [
        f"{trajectory.num_valid} of {len(trajectory)} frames placed",
        f"{cameras.times_s[-1] - cameras.times_s[0]:.1f} s",
        f"cameras span {_plain(extent)} {cameras.unit}" if extent > 1e-9 else "cameras on one spot",
        f"turned up to {turned:.1f}\N{DEGREE SIGN}",
    ]
    known = cameras.focal_ratio[np.isfinite(cameras.focal_ratio)]
    if len(known):
        facts.append(f"focal length \N{MULTIPLICATION SIGN}{known[-1] / known[0]:.2f}")
    else:
        facts.append("focal length unknown")
    return tuple(facts)
