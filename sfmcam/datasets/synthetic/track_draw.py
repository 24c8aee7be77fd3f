"""Recipes of random track clips, wide and stratified: `draw_spec(seed)`, in which consecutive seeds share out every plot and scene."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.camera_path import NUM_DOFS, Curve, picture_motion_px
from sfmcam.datasets.synthetic.chance import log_uniform, weighted
from sfmcam.datasets.synthetic.track_plots import TRACK_DECK, plan_track_camera
from sfmcam.datasets.synthetic.track_spec import BodySpec, Faults, SceneKind, Sway, TrackClipSpec
from sfmcam.motion.primitive import Dof
from sfmcam.types import Float

SCENE_DECK = tuple(
    scene
    for scene, count in {
        SceneKind.WALL: 3,
        SceneKind.GROUND: 6,
        SceneKind.ROOM: 5,
        SceneKind.LAYERS: 4,
        SceneKind.FAR: 2,
        SceneKind.CLOUD: 3,
    }.items()
    for _ in range(count)
)
ASPECTS = ((16 / 9, 5.0), (4 / 3, 2.0), (1.0, 1.0), (9 / 16, 2.0))
LONG_SIDES_PX = ((384, 8.0), (320, 1.0), (512, 1.0))
FRAME_RATES = ((12.0, 6.5), (6.0, 1.2), (24.0, 1.5), (1.0, 0.8))
FEWEST_FRAMES, MOST_FRAMES = 8, 80
FASTEST = 0.05  # long sides per frame, on average
WIDEST, NARROWEST = 0.35, 2.26  # focal length over the long side: fields of view of 110 and 25 degrees
_CLIP, _DECK = 11, 12  # random streams


def draw_spec(seed: int) -> TrackClipSpec:
    """Return the recipe of a random clip; `seed` is 0 or more, and each run of `len(TRACK_DECK)` seeds gets every plot once."""
    rng = np.random.default_rng((seed, _CLIP))
    plan = plan_track_camera(TRACK_DECK[_dealt(seed, len(TRACK_DECK))], rng)
    size = _size(rng)
    focal = _focal_over_side(rng, plan.curves)
    fps = weighted(rng, FRAME_RATES)
    num_frames = _num_frames(plan.curves, focal, size, rng)
    scene = SCENE_DECK[_dealt(seed, len(SCENE_DECK))]
    return TrackClipSpec(
        seed=seed,
        plot=plan.name,
        curves=plan.curves,
        shake=plan.shake,
        num_frames=num_frames,
        fps=fps,
        size_px=size,
        focal_over_side=focal,
        scene=scene,
        pitch_rad=float(rng.normal(-0.08, 0.12)),
        yaw_rad=float(rng.normal(0, 0.3)) if scene is not SceneKind.WALL else 0.0,
        faults=_faults(rng),
        bodies=_bodies(rng) if rng.random() < 0.4 else (),
        sway=Sway(log_uniform(rng, 0.3, 3), log_uniform(rng, 0.2, 2), float(rng.uniform(0.2, 0.6))) if rng.random() < 0.1 else None,
        caption=_caption(rng) if rng.random() < 0.06 else None,
        num_points=int(rng.integers(250, 351)) if rng.random() < 0.8 else int(log_uniform(rng, 60, 250)),
        life_s=log_uniform(rng, 0.5, 3.0),
        detect_every=int(rng.integers(2, 6)),
    )


def _dealt(seed: int, size: int) -> int:
    """Return this seed's card out of `size`: each run of `size` seeds gets every card once, in an order of its own."""
    order = np.random.default_rng((seed // size, size, _DECK)).permutation(size)
    return int(order[seed % size])


def _size(rng: np.random.Generator) -> tuple[int, int]:
    long_side, aspect = weighted(rng, LONG_SIDES_PX), weighted(rng, ASPECTS)
    short_side = 8 * round(long_side * min(aspect, 1 / aspect) / 8)
    return (long_side, short_side) if aspect >= 1 else (short_side, long_side)


def _intended(curves: tuple[Curve, ...]) -> Float:
    return sum((curve.dofs(np.linspace(0, 1, 33)) for curve in curves), np.zeros((33, NUM_DOFS)))


def _focal_over_side(rng: np.random.Generator, curves: tuple[Curve, ...]) -> float:
    """Return the focal length at the start; drawn for the middle of a zoom."""
    zoom = _intended(curves)[:, Dof.ZOOM]
    middle = np.clip(0.75 * np.exp(rng.normal(0, 0.3)), WIDEST, NARROWEST)
    return float(middle * np.exp(-(zoom.max() + zoom.min()) / 2))


def _num_frames(curves: tuple[Curve, ...], focal: float, size_px: tuple[int, int], rng: np.random.Generator) -> int:
    """Return a number of frames in which the camera is not too fast to follow, as far as possible."""
    dofs, side = _intended(curves), max(size_px)
    needed = picture_motion_px(dofs, focal * side * float(np.exp(dofs[:, Dof.ZOOM].max())), size_px) / side / FASTEST
    return int(np.clip(max(log_uniform(rng, FEWEST_FRAMES, MOST_FRAMES + 1), needed), FEWEST_FRAMES, MOST_FRAMES))


def _faults(rng: np.random.Generator) -> Faults:
    has = rng.random(5) < (0.7, 0.3, 0.4, 0.3, 0.7)  # gross errors and slides, wobble, distortion, rolling shutter, offset
    return Faults(
        white_px=log_uniform(rng, 0.03, 0.4),
        drift_px=float(rng.uniform(0, 0.1)) * float(rng.random() < 0.8),
        gross_share=float(rng.uniform(0, 0.05)) * float(has[0]),
        sliding_share=float(rng.uniform(0, 0.1)) * float(has[0]),
        wobble_px=log_uniform(rng, 0.1, 3.0) * float(has[1]),
        wobble_s=log_uniform(rng, 0.2, 2.0),
        distortion=float(rng.uniform(-0.15, 0.1)) * float(has[2]),
        readout=float(rng.uniform(0.2, 0.95)) * float(has[3]),
        principal_offset=(float(rng.uniform(-0.02, 0.02) * has[4]), float(rng.uniform(-0.02, 0.02) * has[4])),
    )


def _bodies(rng: np.random.Generator) -> tuple[BodySpec, ...]:
    count = weighted(rng, ((1, 0.55), (2, 0.3), (3, 0.15)))
    parts = rng.dirichlet(np.full(count, 2.0)) * log_uniform(rng, 0.05, 0.6)
    return tuple(_body(float(part), rng) for part in parts)


def _caption(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Return a line of words below, or a mark in a corner."""
    if rng.random() < 0.6:
        half_width, top = float(rng.uniform(0.15, 0.4)), float(rng.uniform(0.78, 0.88))
        return 0.5 - half_width, top, 0.5 + half_width, top + float(rng.uniform(0.06, 0.12))
    left, top = (float(rng.choice([0.03, 0.77])) for _ in range(2))
    return left, top, left + float(rng.uniform(0.1, 0.2)), top + float(rng.uniform(0.06, 0.2))


def _body(share: float, rng: np.random.Generator) -> BodySpec:
    is_low = rng.random() < 0.25
    follow = weighted(rng, ((1.0, 0.35), (0.0, 0.35), (float(rng.uniform(0.3, 1.3)), 0.15), (float(-rng.uniform(0.2, 1)), 0.15)))
    stays = rng.random() < 0.5
    reach = log_uniform(rng, 0.03, 1.0) * (not stays)
    angle = rng.uniform(0, 2 * np.pi)
    return BodySpec(
        share=share,
        place=(float(np.clip(rng.normal(0.5, 0.17), 0.1, 0.9)), float(rng.normal(0.8, 0.08) if is_low else rng.normal(0.55, 0.1))),
        anchor=float(rng.uniform(0.2, 0.8)),
        depth=log_uniform(rng, 0.25, 0.9),
        tallness=log_uniform(rng, 0.4, 1.0) if is_low else log_uniform(rng, 0.8, 2.6),
        follow=follow,
        travel=(float(reach * np.cos(angle)), float(0.4 * reach * np.sin(angle)), float(rng.uniform(-0.4, 0.4) * (not stays))),
        turn_rad=float(rng.normal(0, 0.3)),
        limbs=float(rng.uniform(0, 0.5)) * float(rng.random() < 0.7),
        limbs_hz=log_uniform(rng, 0.4, 2.5),
    )
