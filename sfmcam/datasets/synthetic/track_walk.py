"""From frame to frame as a tracker goes: points are found where the picture has room, are followed, hidden, lost, and replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.track_set import TrackSet
from sfmcam.datasets.synthetic.track_view import NEAREST
from sfmcam.types import Bool, Float, Int

BORDER_PX = 4.0  # at the reference size, as of other lengths below
NEIGHBOUR_PX = 5.0  # a tracker's window reaches so far
EDGE_HAZARD = 0.12  # chance per frame that a point is lost which has something nearer within that reach
FASTEST = 0.15  # of the long side per frame; beyond it a point is lost
HIDDEN = 0.01  # a point is hidden by what is nearer by more than this share
CELLS = 1.3  # of the picture, per point wanted: some are bare
SHORTEST_LIFE_FRAMES = 3.0  # mean; a tracker that loses more than that has nothing to go by
UNLIKE = 0.9  # some points are much easier to follow than others: log-sigma of their mean lives


@dataclass(frozen=True)
class Walk:
    """Observations without any fault, ordered by frame, of T tracks; every one is seen twice or more.

    Attributes:
        frame: (M,).
        track: (M,).
        points_in_world: (M, 3).
        surface: (T,) what each track's point lies on; bodies are numbered after the surfaces.
        uv: (T, 2) and where on it.
    """

    frame: Int
    track: Int
    points_in_world: Float
    surface: Int
    uv: Float


class _Points:
    """All points so far, in order of birth."""

    def __init__(self, stage: TrackSet, rng: np.random.Generator) -> None:
        self._stage, self._rng = stage, rng
        self._fixed = np.empty((0, 3))
        self.surface, self.uv = np.empty(0, np.int64), np.empty((0, 2))
        self.life = np.empty(0)  # mean, over that of the average point

    def __len__(self) -> int:
        return len(self.surface)

    def places(self, ids: Int, frame: int) -> Float:
        """Return where points (K,) are in the world (K, 3)."""
        out = self._fixed[ids]
        first = len(self._stage.surfaces)
        for number, body in enumerate(self._stage.bodies, first):
            on_it = self.surface[ids] == number
            out[on_it] = body.points(self.uv[ids[on_it]], frame)
        return out

    def add(self, pixels: Float, frame: int) -> Int:
        """Look along pixels (K, 2); return the numbers of the new points that were found there."""
        stage, surfaces = self._stage, self._stage.surfaces
        slopes = stage.optics.slopes(pixels, frame)
        sights = stage.view.look(frame, slopes)
        found = sights.inverse_depth > 0
        is_static = found & (sights.surface < len(surfaces))
        found[is_static] &= surfaces.has_texture(sights.surface[is_static], sights.uv[is_static])
        depth = surfaces.stand_out(self._rng, len(pixels))[found] / sights.inverse_depth[found]
        in_cam = np.append(slopes[found], np.ones((len(depth), 1)), axis=1) * depth[:, None]
        pose = stage.cam_from_world[frame]
        self._fixed = np.concatenate([self._fixed, (in_cam - pose[:3, 3]) @ pose[:3, :3]])
        self.surface = np.concatenate([self.surface, sights.surface[found]])
        self.uv = np.concatenate([self.uv, sights.uv[found]])
        self.life = np.concatenate([self.life, np.exp(self._rng.normal(0, UNLIKE, len(depth)))])
        return np.arange(len(self) - len(depth), len(self))


class Walker:
    """Follows the points of one clip."""

    def __init__(self, stage: TrackSet, rng: np.random.Generator) -> None:
        """Start before the first frame."""
        spec = stage.spec
        self._stage, self._rng, self._points = stage, rng, _Points(stage, rng)
        self._border_px = BORDER_PX * spec.reference_px
        self._life_frames = max(spec.life_s * spec.fps, SHORTEST_LIFE_FRAMES)
        width, height = spec.size_px
        self._columns = max(round(np.sqrt(CELLS * spec.num_points * width / height)), 1)
        self._rows = max(round(CELLS * spec.num_points / self._columns), 1)

    def walk(self) -> Walk:
        """Go through all frames."""
        spec = self._stage.spec
        alive, last = np.empty(0, np.int64), np.empty((0, 2))
        frames, tracks, places = [], [], []
        for frame in range(spec.num_frames):
            at, pixels, kept = self._follow(alive, frame, last)
            alive, at, pixels = alive[kept], at[kept], pixels[kept]
            if frame % spec.detect_every == 0 or len(alive) < spec.num_points // 3:
                new = self._points.add(self._gaps(pixels), frame)[: max(spec.num_points - len(alive), 0)]
                there = self._points.places(new, frame)
                alive, at = np.concatenate([alive, new]), np.concatenate([at, there])
                pixels = np.concatenate([pixels, self._project(there, frame)[0]])
            frames.append(np.full(len(alive), frame))
            tracks.append(alive)
            places.append(at)
            last = pixels
        return self._collect(np.concatenate(frames), np.concatenate(tracks), np.concatenate(places))

    def _follow(self, alive: Int, frame: int, last: Float) -> tuple[Float, Float, Bool]:
        """Return where the points are in the world and in the picture, and which of them the tracker still has."""
        at = self._points.places(alive, frame)
        pixels, slopes, inverse = self._project(at, frame)
        kept = self._stage.optics.contains(pixels, self._border_px) & (inverse > 0)
        kept &= self._stage.view.nearest(frame, slopes) * (1 - HIDDEN) <= inverse
        side = max(self._stage.spec.size_px)
        kept &= np.abs(pixels - last).max(axis=1, initial=0) < FASTEST * side
        reach = NEIGHBOUR_PX * self._stage.spec.reference_px / self._stage.optics.focal_px[frame]
        angle = self._rng.uniform(0, 2 * np.pi, len(alive))
        beside = slopes + reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        at_edge = self._stage.view.nearest(frame, beside) > 1.15 * inverse
        return at, pixels, kept & (self._rng.exponential(size=len(alive)) >= self._hazard(alive) + EDGE_HAZARD * at_edge)

    def _hazard(self, alive: Int) -> Float:
        """Return how often (K,) per frame points are lost without any reason to be seen."""
        return 1 / (self._life_frames * self._points.life[alive])

    def _project(self, at: Float, frame: int) -> tuple[Float, Float, Float]:
        """Return pixels (K, 2), slopes (K, 2) and inverse depths (K,), 0 for what is not before the camera."""
        pose = self._stage.cam_from_world[frame]
        in_cam = at @ pose[:3, :3].T + pose[:3, 3]
        is_before = in_cam[:, 2] > NEAREST
        inverse = is_before / np.where(is_before, in_cam[:, 2], 1)
        slopes = in_cam[:, :2] * inverse[:, None]
        return self._stage.optics.pixels(slopes, frame), slopes, inverse

    def _gaps(self, taken_px: Float) -> Float:
        """Return a random pixel (K, 2) in each cell of the picture that holds no point, in random order."""
        cells = np.array([self._columns, self._rows])
        inner = np.array(self._stage.spec.size_px) - 2 * self._border_px
        index = np.clip((taken_px - self._border_px) / inner * cells, 0, cells - 1).astype(np.intp)
        is_free = np.ones((self._columns, self._rows), bool)
        is_free[index[:, 0], index[:, 1]] = False
        free = self._rng.permutation(np.argwhere(is_free))
        return (free + self._rng.random(free.shape)) / cells * inner + self._border_px

    def _collect(self, frame: Int, track: Int, places: Float) -> Walk:
        """Drop what was seen once, and number the rest from 0."""
        lasts = np.bincount(track, minlength=len(self._points)) >= 2
        kept, number = lasts[track], np.cumsum(lasts) - 1
        return Walk(frame[kept], number[track[kept]], places[kept], self._points.surface[lasts], self._points.uv[lasts])
