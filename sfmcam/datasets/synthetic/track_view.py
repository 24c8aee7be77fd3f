"""What a camera sees of plane surfaces: which one along each line of sight, and how far; and the lens between sight and pixel.

For a parallelogram corner + u right + v down in camera axes and a line of sight (x, y, 1), [right down corner]^-1 (x, y, 1) is
(u/z, v/z, 1/z), where z is the depth. So one matrix per surface and frame answers for every line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.lens import distorted, undistorted
from sfmcam.types import Bool, Float

EDGE_ON = 1e-9  # determinant below which the camera lies in the surface's plane
NEAREST = 1e-3  # of a scene depth: what is nearer is not seen


@dataclass(frozen=True)
class Sights:
    """What lines of sight meet first.

    Attributes:
        surface: (K,) number of the surface.
        inverse_depth: (K,) 0 where there is nothing.
        uv: (K, 2) the place on the surface.
    """

    surface: np.ndarray
    inverse_depth: Float
    uv: Float


@dataclass(frozen=True)
class View:
    """Surfaces as the cameras of N frames see them.

    Attributes:
        maps: (N, R, 3, 3) what turns a line of sight into (u/z, v/z, 1/z).
        is_oval: (R,) True where only the ellipse inscribed in the parallelogram is there.
    """

    maps: Float
    is_oval: Bool

    @staticmethod
    def of(quads_in_world: Float, cam_from_world: Float, is_oval: Bool) -> View:
        """Prepare all frames: quads (N or 1, R, 3, 3), with columns right, down and corner, and poses (N, 4, 4)."""
        quads = cam_from_world[:, None, :3, :3] @ quads_in_world
        quads[..., 2] += cam_from_world[:, None, :3, 3]
        seen = np.abs(np.linalg.det(quads)) > EDGE_ON
        maps = np.linalg.inv(np.where(seen[..., None, None], quads, np.eye(3))) * seen[..., None, None]
        return View(maps, is_oval)

    def first(self, count: int) -> View:
        """Return the view of the first surfaces alone."""
        return View(self.maps[:, :count], self.is_oval[:count])

    def look(self, frame: int, slopes: Float) -> Sights:
        """Return what is met along (x, y, 1) for slopes (K, 2) in a frame."""
        u, v, w = self._inside(frame, slopes)
        surface = np.argmax(w, axis=0)
        column = np.arange(len(slopes))
        nearest = w[surface, column]
        depth = 1 / np.where(nearest > 0, nearest, 1)
        uv = np.stack([u[surface, column], v[surface, column]], axis=1) * depth[:, None]
        return Sights(surface, nearest, uv)

    def nearest(self, frame: int, slopes: Float) -> Float:
        """Return the inverse depth (K,) along (x, y, 1) for slopes (K, 2) in a frame; 0 where there is nothing."""
        return np.asarray(self._inside(frame, slopes)[2].max(axis=0))

    def nearest_in_all(self, slopes: Float, focal_ratio: Float) -> Float:
        """Return the inverse depth (N, K) in all frames; the slopes (K, 2) are divided by the focal ratio (N,) of each."""
        lines = np.append(slopes.T, np.ones((1, len(slopes))), axis=0) * np.ones((len(self.maps), 1, 1))
        lines[:, :2] /= focal_ratio[:, None, None]
        return np.asarray(_where_inside(self.maps @ lines[:, None], self.is_oval)[2].max(axis=1))

    def _inside(self, frame: int, slopes: Float) -> tuple[Float, Float, Float]:
        lines = np.append(slopes.T, np.ones((1, len(slopes))), axis=0)
        return _where_inside(self.maps[frame] @ lines, self.is_oval)


def _where_inside(uvw: Float, is_oval: Bool) -> tuple[Float, Float, Float]:
    """Split (..., R, 3, K) into u/z, v/z and 1/z, (..., R, K) each, with 1/z = 0 where the surface is not."""
    u, v, w = uvw[..., 0, :], uvw[..., 1, :], uvw[..., 2, :]
    inside = (np.minimum(u, v) >= 0) & (np.maximum(u, v) <= w)
    if is_oval.any():
        inside[..., is_oval, :] &= _in_oval(u[..., is_oval, :], v[..., is_oval, :], w[..., is_oval, :])
    return u, v, np.where(inside, w, 0.0)


def _in_oval(u: Float, v: Float, w: Float) -> Bool:
    return np.asarray((2 * u - w) ** 2 + (2 * v - w) ** 2 <= w**2)


@dataclass(frozen=True)
class Optics:
    """From slopes x/z, y/z to pixels and back.

    Attributes:
        size_px: (width, height).
        focal_px: (N,).
        principal_px: (2,) the principal point, in pixels; also the centre of the distortion.
        distortion: coefficient of `lens.distorted`.
    """

    size_px: tuple[int, int]
    focal_px: Float
    principal_px: Float
    distortion: float

    def pixels(self, slopes: Float, frame: np.ndarray | int) -> Float:
        """Return (K, 2) positions of slopes (K, 2), each in its frame (K,) or all in one; NaN beyond where the lens folds over."""
        flat = slopes * np.reshape(self.focal_px[frame], (-1, 1))
        if self.distortion:
            positions = flat / self._half_diagonal
            beyond = 1 + 3 * self.distortion * (positions**2).sum(axis=1) <= 0
            flat = distorted(positions, self.distortion) * self._half_diagonal
            flat[beyond] = np.nan
        return np.asarray(flat + self.principal_px)

    def slopes(self, pixels: Float, frame: int) -> Float:
        """Return the slopes (K, 2) that a frame shows at pixels (K, 2)."""
        flat = pixels - self.principal_px
        if self.distortion:
            flat = undistorted(flat / self._half_diagonal, self.distortion) * self._half_diagonal
        return np.asarray(flat / self.focal_px[frame])

    def contains(self, pixels: Float, border_px: float) -> Bool:
        """Return which of the pixels (K, 2) lie in the picture and off its border; NaN does not."""
        return np.asarray(((pixels >= border_px) & (pixels <= np.array(self.size_px) - border_px)).all(axis=1))

    @property
    def _half_diagonal(self) -> float:
        return float(np.hypot(*self.size_px)) / 2


def grid_slopes(size_px: tuple[int, int], focal_px: float, samples: tuple[int, int]) -> Float:
    """Return the slopes (columns * rows, 2) at the centres of `samples` (columns, rows) equal cells of a picture."""
    x, y = ((np.arange(0.5, n) / n - 0.5) * (side / focal_px) for n, side in zip(samples, size_px, strict=True))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
