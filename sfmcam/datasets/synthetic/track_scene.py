"""Where simulated points lie: scenes of plane surfaces, drawn at random around the way that the camera will take.

World axes are those of a level camera: x right, y down, z forward, with the camera starting at the origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sfmcam.datasets.synthetic.chance import log_uniform
from sfmcam.datasets.synthetic.track_spec import SceneKind
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float

FAR_BASELINES = 20.0
PATCHES = 12  # a surface's texture comes in patches, which repeat after so many across and down
PATCH = 0.06, 0.3  # the least and the greatest side of a patch, over the depth of the scene
ENDLESS = 60.0  # half the width of a surface without visible ends


@dataclass(frozen=True)
class Surfaces:
    """Parallelograms, each the points corner + u right + v down with u and v from 0 to 1.

    Attributes:
        corner: (R, 3).
        right: (R, 3).
        down: (R, 3).
        texture: (R,) share of each surface on which a tracker finds points.
        patches: (R, PATCHES, PATCHES) uniform numbers; a patch below `texture` has points.
        num_patches: (R, 2) how many of them, repeats included, go to the right and down.
        relief: points stand out of their surface by about this share of their distance.
        is_cloud: True where points fill the space before the surfaces, down to exp(-relief) of the distance, evenly in log depth.
    """

    corner: Float
    right: Float
    down: Float
    texture: Float
    patches: Float
    num_patches: Float
    relief: float
    is_cloud: bool = False

    def __len__(self) -> int:
        return len(self.corner)

    def scaled(self, factor: float) -> Surfaces:
        """Return the scene enlarged about the camera's start, from where it looks the same."""
        return replace(self, corner=self.corner * factor, right=self.right * factor, down=self.down * factor)

    def has_texture(self, surface: np.ndarray, uv: Float) -> np.ndarray:
        """Return (K,) whether a tracker finds a point on surfaces (K,) at (u, v), (K, 2)."""
        right, down = (uv * self.num_patches[surface]).astype(np.intp).T % PATCHES
        return np.asarray(self.patches[surface, right, down] < self.texture[surface])

    def stand_out(self, rng: np.random.Generator, count: int) -> Float:
        """Return (count,) factors up to 1 on the distance by which points come before their surface."""
        return np.exp(-self.relief * (rng.random(count) if self.is_cloud else np.abs(rng.normal(size=count))))


@dataclass(frozen=True)
class Reach:
    """The box (3,) to (3,) in the world that the camera's centre stays in, and the size of its view.

    Attributes:
        low: left, highest and rearmost.
        high: right, lowest and foremost.
        slope: (2,) half the picture's width and height over the focal length.
    """

    low: Float
    high: Float
    slope: Float


def build_surfaces(kind: SceneKind, reach: Reach, rng: np.random.Generator) -> Surfaces:
    """Return a scene that leaves the camera's way free; for `SceneKind.FAR` in front of it, and not yet moved away."""
    quads = BUILDERS[kind](reach, rng)
    corner, right, down = (np.array([quad[k] for quad in quads], float) for k in range(3))
    count = len(quads)
    bare = rng.random() < 0.15
    texture = rng.uniform(0.25, 0.55, count) if bare else rng.uniform(0.5, 1.3, count)
    relief = float(rng.choice([0.0, rng.uniform(0, 0.06)]))
    is_cloud = kind is SceneKind.CLOUD
    if is_cloud:
        relief = float(np.log(log_uniform(rng, 1.5, 20)))
    sides = np.linalg.norm([right, down], axis=2).T
    patches, num_patches = rng.random((count, PATCHES, PATCHES)), sides / log_uniform(rng, *PATCH)
    return Surfaces(corner, right, down, texture, patches, num_patches, relief, is_cloud)


Quad = tuple[Float, Float, Float]


def _quad(center: Float, right: Float, down: Float) -> Quad:
    """Return a parallelogram by its centre and its half sides."""
    center, right, down = np.asarray(center, float), np.asarray(right, float), np.asarray(down, float)
    return center - right - down, 2 * right, 2 * down


def _box(low: Float, high: Float) -> list[Quad]:
    """Return the six faces of an upright box."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    w, h, d = np.diag(np.asarray(high, float) - np.asarray(low, float))
    return [
        (np.array([x0, y0, z1]), w, h),
        (np.array([x0, y0, z0]), w, h),
        (np.array([x0, y0, z0]), d, h),
        (np.array([x1, y0, z0]), d, h),
        (np.array([x0, y0, z0]), w, d),
        (np.array([x0, y1, z0]), w, d),
    ]


def _upright(rng: np.random.Generator, center: Float, half_width: float, half_height: float) -> Quad:
    """Return an upright rectangle that roughly faces the camera."""
    yaw = rng.normal(0, 0.4)
    return _quad(center, half_width * np.array([np.cos(yaw), 0, np.sin(yaw)]), np.array([0, half_height, 0]))


def _wall(reach: Reach, rng: np.random.Generator) -> list[Quad]:
    slant = np.array([rng.normal(0, 0.15), rng.normal(0, 0.4), 0.0]).clip(-0.75, 0.75) * (rng.random() < 0.6)
    axes = rotation_from_vector(slant)
    corners = np.stack(np.meshgrid(*np.stack([reach.low, reach.high], axis=1), indexing="ij"), axis=-1).reshape(-1, 3)
    foot = np.array([0, 0, 1.0])
    if ((foot - corners) @ axes[:, 2]).min() < 0.15:  # the camera would come too near: the wall is turned square, and moved off
        axes, foot = np.eye(3), np.array([0, 0, max(1.0, reach.high[2] + 0.3)])
    around = log_uniform(rng, 4, 12)
    return [_quad(foot, axes[:, 0] * ENDLESS, axes[:, 1] * ENDLESS), *_box(np.full(3, -around), np.full(3, around))]


def _ground(reach: Reach, rng: np.random.Generator) -> list[Quad]:
    height = max(log_uniform(rng, 0.12, 0.9), reach.high[1] + 0.12)
    far = max(log_uniform(rng, 1.2, 20), reach.high[2] + 0.8)
    top = far * rng.uniform(0.02, 0.7)
    side = max(log_uniform(rng, 0.5, 4), -reach.low[0] + 0.3, reach.high[0] + 0.3) if rng.random() < 0.5 else 1.5 * far
    ahead, behind = np.array([0, (height - top) / 2, far]), np.array([0, (height - top) / 2, -far])
    half = np.array([0, (height + top) / 2, 0])
    length = np.array([0, 0, far])
    walls = [_quad(center, np.array([1.5 * far, 0, 0]), half) for center in (ahead, behind)]
    houses = [_quad(np.array([s * side, half[1] - top, 0]), length, half) for s in (-1, 1)]
    ground = _quad(np.array([0, height, 0]), np.array([ENDLESS, 0, 0]), np.array([0, 0, ENDLESS]))
    return [ground, *walls, *houses, *_objects(reach, rng, floor=height, depths=(0.5 * height, far), count=int(rng.integers(0, 6)))]


def _room(reach: Reach, rng: np.random.Generator) -> list[Quad]:
    low = np.minimum(-rng.uniform([0.5, 0.25, 0.3], [1.6, 0.9, 2.0]), reach.low - 0.25)
    high = np.maximum(rng.uniform([0.5, 0.25, 0.8], [1.6, 0.7, 2.5]), reach.high + np.array([0.25, 0.15, 0.35]))
    return [*_box(low, high), *_objects(reach, rng, floor=high[1], depths=(0.4, high[2]), count=int(rng.integers(0, 8)))]


def _layers(reach: Reach, rng: np.random.Generator) -> list[Quad]:
    ratio = log_uniform(rng, 1.5, 20)
    around = max(1.0, reach.high[2] + 0.3)
    backdrop = _upright(rng, np.array([0, 0, around]), ENDLESS, ENDLESS)
    near = []
    for _ in range(int(rng.integers(3, 14))):
        depth = log_uniform(rng, 1 / ratio, 0.9)
        place = np.append(rng.uniform(-2, 2, 2) * reach.slope, 1.0) * depth
        width, height = reach.slope * depth * rng.uniform(0.1, 0.6, 2)
        near.append(_upright(rng, place, width, height))
    return [backdrop, *_box(np.full(3, -4 * around), np.full(3, 4 * around)), *near]


def _cloud(reach: Reach, rng: np.random.Generator) -> list[Quad]:
    size = float(np.abs([reach.low, reach.high]).max()) + log_uniform(rng, 1, 4)
    return _box(np.full(3, -size), np.full(3, size))


def _far(reach: Reach, rng: np.random.Generator) -> list[Quad]:
    on_the_spot = replace(reach, low=np.zeros(3), high=np.zeros(3))
    return (_layers if rng.random() < 0.5 else _ground)(on_the_spot, rng)


def _objects(reach: Reach, rng: np.random.Generator, *, floor: float, depths: tuple[float, float], count: int) -> list[Quad]:
    """Return upright things that stand on the floor."""
    out = []
    for _ in range(count):
        depth = log_uniform(rng, depths[0], max(depths[1], 1.1 * depths[0]))
        half_height = log_uniform(rng, 0.08, 0.5) * min(depth, 1.5)
        x = rng.uniform(-1.5, 1.5) * reach.slope[0] * depth
        out.append(_upright(rng, np.array([x, floor - half_height, depth]), half_height * log_uniform(rng, 0.3, 1.2), half_height))
    return out


BUILDERS: dict[SceneKind, Callable[[Reach, np.random.Generator], list[Quad]]] = {
    SceneKind.WALL: _wall,
    SceneKind.GROUND: _ground,
    SceneKind.ROOM: _room,
    SceneKind.LAYERS: _layers,
    SceneKind.FAR: _far,
    SceneKind.CLOUD: _cloud,
}
