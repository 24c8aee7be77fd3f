"""What lens, sensor and tracker do to true positions: rolling shutter, wobble, noise, drift, gross errors, sliding, swaying."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.chance import log_uniform
from sfmcam.datasets.synthetic.track_set import TrackSet
from sfmcam.datasets.synthetic.track_view import NEAREST
from sfmcam.datasets.synthetic.track_walk import Walk
from sfmcam.datasets.synthetic.track_wander import wander
from sfmcam.types import Bool, Float, Int

WOBBLE_MODES = 4
GROSS_PX = 1.5, 20.0
SLIDE_PX = 0.03, 1.5  # per frame
SWAY_WAVES = 4


def true_pixels(stage: TrackSet, walk: Walk) -> Float:
    """Return where the lens shows the observed points (M, 2), each row of the picture at its own time where the shutter rolls."""
    slopes = _slopes(stage.cam_from_world, walk)
    readout = stage.spec.faults.readout
    if readout:
        half_s = readout / stage.spec.fps / 2
        before, after = (_slopes(stage.path.cam_from_world(stage.spec.timestamps_s + s), walk) for s in (-half_s, half_s))
        row = stage.optics.pixels(slopes, walk.frame)[:, 1:] / stage.spec.size_px[1] * 2 - 1  # -1 top to 1 bottom: before to after
        slopes = slopes + row * (after - before) / 2 + row**2 * (before + after - 2 * slopes) / 2
    return stage.optics.pixels(slopes, walk.frame)


def _slopes(cam_from_world: Float, walk: Walk) -> Float:
    pose = cam_from_world[walk.frame]
    in_cam = np.einsum("mij,mj->mi", pose[:, :3, :3], walk.points_in_world) + pose[:, :3, 3]
    return in_cam[:, :2] / np.maximum(in_cam[:, 2:], NEAREST)


def swaying(stage: TrackSet, walk: Walk, rng: np.random.Generator) -> Bool:
    """Return which tracks (T,) lie on the part of one surface that sways."""
    out = np.zeros(len(walk.surface), bool)
    on_surface = np.bincount(walk.surface, minlength=1)[: len(stage.surfaces)]
    if stage.spec.sway is None or not on_surface.any():
        return out
    surface = int(rng.choice(len(on_surface), p=on_surface / on_surface.sum()))
    along = walk.uv[:, int(rng.integers(2))]
    on_it = walk.surface == surface
    out[on_it] = along[on_it] <= np.quantile(along[on_it], stage.spec.sway.part)
    return out


def captioned(stage: TrackSet, walk: Walk, pixels: Float) -> tuple[Bool, Float]:
    """Return which tracks (T,) are taken for burnt-in lettering, as they begin where it is, and the positions (M, 2) with those at rest."""
    first = np.unique(walk.track, return_index=True)[1]  # every track has one, and observations are in order of time
    if stage.spec.caption is None:
        return np.zeros(len(first), bool), pixels
    low, high = np.reshape(stage.spec.caption, (2, 2)) * stage.spec.size_px
    is_caption = ((pixels[first] >= low) & (pixels[first] <= high)).all(axis=1)
    return is_caption, np.where(is_caption[walk.track, None], pixels[first][walk.track], pixels)


def displacements(stage: TrackSet, walk: Walk, pixels: Float, *, is_swaying: Bool, rng: np.random.Generator) -> Float:
    """Return what tracker and world add to the observed positions (M, 2)."""
    faults, unit = stage.spec.faults, stage.spec.reference_px
    out = rng.normal(0, 1, pixels.shape) * faults.white_px
    out += _per_track_sum(walk, rng.normal(0, 1, pixels.shape) * faults.drift_px)
    out += _gross(len(pixels), faults.gross_share, rng)
    out += _slides(walk, faults.sliding_share, rng)
    if faults.wobble_px:
        out += faults.wobble_px * _wobble(stage, walk, pixels, rng)
    if stage.spec.sway is not None:
        out += _sway(stage, walk, is_swaying, rng)
    return out * unit


def _per_track_sum(walk: Walk, steps: Float) -> Float:
    """Add up steps (M, 2) along each track, the first observation being free of them."""
    order = np.argsort(walk.track, kind="stable")
    along = steps[order]
    starts = np.flatnonzero(np.diff(walk.track[order], prepend=-1))
    along[starts] = 0
    total = np.cumsum(along, axis=0)
    counts = np.diff(np.append(starts, len(order)))
    total -= np.repeat(total[starts], counts, axis=0)
    out = np.empty_like(total)
    out[order] = total
    return out


def _gross(count: int, share: float, rng: np.random.Generator) -> Float:
    size = _log_uniform(rng, GROSS_PX, count) * (rng.random(count) < share)
    angle = rng.uniform(0, 2 * np.pi, count)
    return size[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _slides(walk: Walk, share: float, rng: np.random.Generator) -> Float:
    """Return a steady motion of some tracks (M, 2), from somewhere in their life on."""
    count = len(walk.surface)
    angle = rng.uniform(0, 2 * np.pi, count)
    speed = _log_uniform(rng, SLIDE_PX, count) * (rng.random(count) < share)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, walk.track, walk.frame)
    onset = first + rng.random(count) * 0.7 * np.bincount(walk.track, minlength=count)
    age = np.maximum(walk.frame - onset[walk.track], 0)
    return (speed[walk.track] * age)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)[walk.track]


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float], count: int) -> Float:
    return np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]), count))


def _wobble(stage: TrackSet, walk: Walk, pixels: Float, rng: np.random.Generator) -> Float:
    """Return a smooth deformation (M, 2) of about 1 at most, made of standing waves of the picture."""
    half_turns = rng.uniform(1.0, 4.0, (WOBBLE_MODES, 2))  # over the long side: a bend, not a shift
    offset = rng.uniform(0, 2 * np.pi, (WOBBLE_MODES, 2))
    place = pixels / max(stage.spec.size_px) * np.pi
    shape = np.cos(place[:, None] * half_turns + offset).prod(axis=2)  # (M, modes)
    curves = wander(stage.spec.timestamps_s, stage.spec.faults.wobble_s, 2 * WOBBLE_MODES, rng).reshape(-1, WOBBLE_MODES, 2)
    return np.einsum("mk,mkd->md", shape, curves[walk.frame]) / np.sqrt(WOBBLE_MODES)


def _sway(stage: TrackSet, walk: Walk, is_swaying: Bool, rng: np.random.Generator) -> Float:
    """Return the ripple (M, 2) of the swaying tracks: waves that run over the world."""
    sway = stage.spec.sway
    assert sway is not None
    wave = rng.normal(0, 1, (SWAY_WAVES, 3)) * log_uniform(rng, 2, 20) / stage.path.depth_m
    turns = 2 * np.pi * sway.hz * rng.uniform(0.7, 1.4, SWAY_WAVES)
    time = stage.spec.timestamps_s[walk.frame]
    phase = walk.points_in_world @ wave.T + time[:, None] * turns + rng.uniform(0, 2 * np.pi, SWAY_WAVES)
    direction = rng.normal(0, 1, (SWAY_WAVES, 2))
    direction *= sway.px * np.sqrt(4 / max(float((direction**2).sum()), 1e-9))
    return np.sin(phase) @ direction * is_swaying[walk.track][:, None]


def in_picture_from_birth(walk: Walk, is_inside: Bool) -> Bool:
    """Return which observations (M,) come before their track first leaves the picture; the wholly or nearly lost ones have none."""
    never = np.iinfo(np.int64).max
    first_out = np.full(len(walk.surface), never)
    np.minimum.at(first_out, walk.track[~is_inside], walk.frame[~is_inside])
    kept = walk.frame < first_out[walk.track]
    return kept & (np.bincount(walk.track[kept], minlength=len(walk.surface)) >= 2)[walk.track]


def kept_numbers(track: Int, kept: Bool, count: int) -> tuple[Int, Int]:
    """Return the tracks (T',) of which something is kept, and the new numbers of the kept observations."""
    has_any = np.bincount(track[kept], minlength=count) > 0
    return np.flatnonzero(has_any), (np.cumsum(has_any) - 1)[track[kept]]
