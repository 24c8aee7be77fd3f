"""A relief seen by a moving camera: true flow, depth, poses and focal lengths by ray casting, and an operator that tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.dense_flow import DenseEdges, DenseFlowOperator, DenseFlowOptions
from sfmcam.estimators.megasam.options import Schedule
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector

DISTANCE, HEIGHT = 4.0, 0.9  # of the relief, and how far it comes out of its plane
SMALL, LARGE = (18, 24), (30, 40)  # grids: 144x192 and 240x320 pixels
FOCAL = 0.85  # picture widths: 61 degrees across
# for an operator that tells the truth: every frame may be a keyframe, and few revisions do
SCHEDULE = Schedule(
    keyframe_distance=0,
    init_updates=4,
    init_radius=6,
    two_view_start=True,
    frontend_updates=2,
    extra_updates=1,
    frontend_prior=3e-5,
    backend_updates=14,
    backend_prior=1e-7,
    backend_nms=1,
    backend_threshold=14,
    backend_edges=8,
    filter_flow=0.6,
    min_keyframes=6,
    early_stop=1e-5,
    chunk_frames=64,
)


def relief(x, y):
    """Depth of the relief behind the plane z = 0."""
    return DISTANCE + HEIGHT * np.sin(1.1 * x + 0.4) * np.cos(0.9 * y) + 0.35 * np.sin(2.3 * y + 1.7 * x)


@dataclass(frozen=True)
class Scene:
    """A camera path before the relief: `cam_from_world` (N, 4, 4), `focal` (N,) in 1/8 pixels."""

    cam_from_world: np.ndarray
    focal: np.ndarray
    grid: tuple[int, int] = SMALL

    def __len__(self) -> int:
        return len(self.focal)

    @property
    def center(self):
        """Principal point (x, y)."""
        return np.array([self.grid[1] / 2, self.grid[0] / 2])

    @property
    def intrinsics(self) -> Tensor:
        """(N, 4)."""
        rows = np.column_stack([self.focal, self.focal, np.tile(self.center, (len(self), 1))])
        return torch.tensor(rows, dtype=torch.float32)

    def points(self, i):
        """World points (h, w, 3) of the cells of frame i, and their depths (h, w)."""
        y, x = np.mgrid[: self.grid[0], : self.grid[1]].astype(float)
        ray = np.stack([(x - self.center[0]) / self.focal[i], (y - self.center[1]) / self.focal[i], np.ones_like(x)], -1)
        rotation, translation = self.cam_from_world[i, :3, :3], self.cam_from_world[i, :3, 3]
        start, along = -rotation.T @ translation, ray @ rotation
        depth = np.full(x.shape, DISTANCE)
        for _ in range(60):
            point = start + depth[..., None] * along
            depth = depth + 0.5 * (relief(point[..., 0], point[..., 1]) - point[..., 2]) / along[..., 2]
        return start + depth[..., None] * along, depth

    def seen_in(self, points, j):
        """Where world points (h, w, 3) are seen in frame j, (h, w, 2)."""
        camera = points @ self.cam_from_world[j, :3, :3].T + self.cam_from_world[j, :3, 3]
        return self.focal[j] * camera[..., :2] / camera[..., 2:] + self.center


@dataclass
class TrueFlowOperator(DenseFlowOperator):
    """Tells the true flow of a scene, spoilt as asked: `noise` in 1/8 pixels, a share of outliers, a mover over a part of the frame."""

    scene: Scene | None = None
    noise: float = 0.0
    outliers: float = 0.0
    mover_share: float = 0.0
    mover_speed: tuple[float, float] = (0.5, 0.2)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))
    cast: dict = field(default_factory=dict)

    def encode(self, image, index):
        return index

    def flow(self, a, b):
        return torch.from_numpy(self._true(a, b))

    def open(self, sources: Sequence[int], targets: Sequence[int]):
        flows = np.stack([self._spoilt(i, j) for i, j in zip(sources, targets, strict=True)])
        return DenseEdges(torch.from_numpy(flows), torch.ones(flows.shape), torch.zeros(len(flows)))

    def _true(self, i, j):
        y, x = np.mgrid[: self.scene.grid[0], : self.scene.grid[1]]
        if i not in self.cast:
            self.cast[i] = self.scene.points(i)[0]
        return (self.scene.seen_in(self.cast[i], j) - np.stack([x, y], -1)).astype(np.float32)

    def _spoilt(self, i, j):
        flow = self._true(i, j)
        height, width = self.scene.grid
        if self.mover_share:
            rows, columns = slice(height // 4, height // 4 + height // 2), slice(2, 2 + round(2 * self.mover_share * width))
            flow[rows, columns] += np.array(self.mover_speed, np.float32) * (j - i)
        flow += self.noise * self.rng.normal(size=flow.shape).astype(np.float32)
        wild = self.rng.random((height, width)) < self.outliers
        flow[wild] += self.rng.uniform(-8, 8, (int(wild.sum()), 2)).astype(np.float32)
        return flow


def true_operator(scene, **spoilt):
    """An operator on a scene."""
    return TrueFlowOperator(DenseFlowOptions(), scene=scene, **spoilt)


def travelling(num=14, *, zoom=0.0, grid=SMALL):
    """A camera that trucks, rises and comes nearer while it pans and rolls."""
    t = np.linspace(0, 1, num)
    centers = np.column_stack([1.2 * t, -0.4 * np.sin(2 * t), 0.5 * t])
    turns = np.column_stack([0.06 * np.sin(3 * t), -0.22 * t, 0.08 * t])
    return made(centers, turns, zoom * t, grid)


def panning(num=14, *, zoom=0.0):
    """A camera that turns on the spot, and zooms."""
    t = np.linspace(0, 1, num)
    return made(np.zeros((num, 3)), np.column_stack([0.1 * t, 0.35 * t, 0.05 * np.sin(4 * t)]), zoom * t)


def resting(num=14):
    """A camera that does nothing."""
    return made(np.zeros((num, 3)), np.zeros((num, 3)), np.zeros(num))


def made(centers, turns, log_zoom, grid=SMALL):
    """A scene from camera centres, rotation vectors of cam_from_world and log focal lengths over FOCAL."""
    rotation = rotation_from_vector(turns)
    return Scene(rigid_from_parts(rotation, -np.einsum("nij,nj->ni", rotation, centers)), grid[1] * FOCAL * np.exp(log_zoom), grid)
