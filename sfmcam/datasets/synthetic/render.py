"""From a scene and a camera to a picture: visibility per sample, mip-mapped look-up, and an average over samples in space and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.datasets.synthetic import raster
from sfmcam.datasets.synthetic.atlas import LEVELS, build_atlas
from sfmcam.datasets.synthetic.scene import Mover, Scene, Surface, quads
from sfmcam.datasets.synthetic.visibility import Grid, Visible, find_visible, plane_maps, texel_level
from sfmcam.types import Bool, Float, UInt8

# Rotated grid: each of the four samples has its own row and its own column, and their mean is the pixel's centre.
SAMPLE_OFFSETS_PX = ((-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375))
SAMPLE_DITHER = (0.125, 0.625, 0.375, 0.875)  # turns the hard choices (mip level, cut-out) of the samples into soft averages
ROLLING_BANDS = 10
LEVEL_BIAS = -0.6  # four samples per pixel carry detail about this many levels finer than one sample does


@dataclass(frozen=True)
class View:
    """Camera of one sample: pose (4, 4), focal length in pixels, and the time in seconds at which movers stand."""

    cam_from_world: Float
    focal_px: float
    time_s: float


class Renderer:
    """Draws one scene at one picture size. Its arrays are made once; drawing leaves it unchanged."""

    def __init__(self, scene: Scene, movers: tuple[Mover, ...], size_px: tuple[int, int]) -> None:
        """Pack the textures of `scene` and `movers`; `size_px` is (width, height)."""
        self.size_px = size_px
        self._movers = movers
        surfaces = [*scene.surfaces, *(s for mover in movers for s in mover.surfaces)]
        self._num_static = len(scene.surfaces)
        self._quads = quads(surfaces)
        self._backdrop = np.array([s.is_backdrop for s in surfaces])
        self._one_sided = np.array([s.is_one_sided for s in surfaces])
        self._load_textures(surfaces)

    def _load_textures(self, surfaces: list[Surface]) -> None:
        shared = {id(s.texture): s.texture for s in surfaces}
        slot_of = {key: slot for slot, key in enumerate(shared)}
        atlas = build_atlas(list(shared.values()))
        slots = np.array([slot_of[id(s.texture)] for s in surfaces])
        self._picture = atlas.picture
        self._first_level = (slots * LEVELS).astype(np.intp)
        self._origin, self._size = atlas.origin_px - 0.5, atlas.size_px  # a texel's index is its centre
        self._texture_size = atlas.size_px[self._first_level]
        alphas = ((index, atlas.alphas[slot]) for index, slot in enumerate(slots))
        self._cutouts = {index: alpha for index, alpha in alphas if alpha is not None}

    def draw(self, views: list[View]) -> UInt8:
        """Return the (H, W, 3) picture that averages `views`; a multiple of four views covers each pixel evenly.

        A view that is given several times in a row, as one object, is worked out once.
        """
        total = np.zeros((self.size_px[1], self.size_px[0], 3), np.float32)
        known = None
        for index, view in enumerate(views):
            if view is not known:
                known, maps = view, self._maps(view)
            cv2.accumulate(self._sample(maps, index % len(SAMPLE_OFFSETS_PX)), total)
        return np.rint(total / len(views)).astype(np.uint8)

    def draw_rolling(self, view_at: Callable[[float], View], times_s: list[float], readout_s: float) -> UInt8:
        """Return the picture (H, W, 3) of a sensor that reads out row by row, averaged over samples in time.

        Args:
            view_at: the camera at a time.
            times_s: the samples' times at the middle row; a multiple of four, as for `draw`.
            readout_s: time from the first row to the last. Rows are drawn in bands of one time each, which lie differently in each
                sample, so that their mean changes in steps of a quarter of a band.
        """
        rows, samples = self.size_px[1], len(SAMPLE_OFFSETS_PX)
        total = np.zeros((rows, self.size_px[0], 3), np.float32)
        for index, time_s in enumerate(times_s):
            turn = index % samples
            for band in _bands(rows, shift=turn / samples):
                middle = (band.start + band.stop) / 2 / rows - 0.5
                total[band] += self._sample(self._maps(view_at(time_s + middle * readout_s)), turn, band)
        return np.rint(total / len(times_s)).astype(np.uint8)

    def depth(self, view: View, samples: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Return the depth along the optical axis of the static scene without backdrop, in metres, NaN where there is none.

        `samples` (columns, rows) cuts the picture into equal cells, each sampled at its centre; by default one per pixel.
        """
        seen = self._visible(view, Grid.over(self.size_px, samples), with_movers=False)
        empty = (seen.surface < 0) | self._backdrop[seen.surface]
        with np.errstate(divide="ignore"):
            return np.where(empty, np.float32(np.nan), 1 / seen.inverse_depth)

    def mover_mask(self, view: View, samples: tuple[int, int] | None = None) -> Bool:
        """Return where a mover is seen, sampled as `depth` is."""
        return self._visible(view, Grid.over(self.size_px, samples), with_movers=True).surface >= self._num_static

    def hole_share(self, view: View, samples: tuple[int, int]) -> float:
        """Return the share of the picture in which nothing at all is seen, not even a backdrop."""
        return float((self._visible(view, Grid.over(self.size_px, samples), with_movers=False).surface < 0).mean())

    def _visible(self, view: View, grid: Grid, *, with_movers: bool) -> Visible:
        maps = self._maps(view)
        return find_visible(maps if with_movers else maps[: self._num_static], grid, cutouts=self._cutouts)

    def _maps(self, view: View) -> Float:
        quads_in_world = self._quads_at(view.time_s)
        return plane_maps(quads_in_world, view.cam_from_world, view.focal_px, size_px=self.size_px, one_sided=self._one_sided)

    def _sample(self, maps: Float, turn: int, rows: slice = slice(None)) -> UInt8:
        whole = Grid.over(self.size_px, offset_px=SAMPLE_OFFSETS_PX[turn])
        grid = Grid(whole.x, whole.y[rows])
        seen = find_visible(maps, grid, cutouts=self._cutouts, alpha_threshold=SAMPLE_DITHER[turn])
        x, y = self._texels(maps, grid, seen, dither=SAMPLE_DITHER[turn])
        return np.asarray(cv2.remap(self._picture, x, y, cv2.INTER_LINEAR), np.uint8)

    def _texels(self, maps: Float, grid: Grid, seen: Visible, *, dither: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the atlas positions (H, W) of what is seen."""
        surface, nearness = np.maximum(seen.surface, 0), np.maximum(seen.inverse_depth, 1e-9)
        return raster.texels(
            surface,
            nearness,
            np.log2(nearness),
            maps.astype(np.float32),
            texel_level(maps, self._texture_size),
            self._first_level,
            grid.x.astype(np.float32),
            grid.y.astype(np.float32),
            self._size,
            self._origin,
            LEVEL_BIAS + dither,
            LEVELS,
        )

    def _quads_at(self, time_s: float) -> Float:
        """Return every rectangle (S, 3, 3) in the world at a time; movers' are stored in their own frame."""
        if not self._movers:
            return self._quads
        placed, start = self._quads.copy(), self._num_static
        for mover in self._movers:
            stop, world_from_mover = start + len(mover.surfaces), mover.world_from_mover(time_s)
            placed[start:stop] = world_from_mover[:3, :3] @ placed[start:stop]
            placed[start:stop, :, 2] += world_from_mover[:3, 3]
            start = stop
        return placed


def _bands(rows: int, *, shift: float) -> Iterator[slice]:
    """Yield ROLLING_BANDS or one more equal parts of the rows, moved down by a share of a part."""
    edges = np.rint((np.arange(ROLLING_BANDS + 1) + shift) * rows / ROLLING_BANDS).astype(int).clip(0, rows)
    for start, stop in zip([0, *edges[:-1]], edges, strict=True):
        if stop > start:
            yield slice(int(start), int(stop))
