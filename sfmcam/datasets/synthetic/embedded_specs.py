"""Recipes of the embedded set: every primitive pure, the usual mixtures, tripod, shaky hands, and movers that mislead."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.camera_path import Arc, DollyZoom, Ease, Shake, dolly, pan, pedestal, roll, tilt, truck, zoom
from sfmcam.datasets.synthetic.scenes.movers import MoverKind, MoverSpec
from sfmcam.datasets.synthetic.spec import ClipSpec

WALKER, VAN = MoverKind.WALKER, MoverKind.VAN
TALL, CLASSIC = (270, 480), (384, 288)


def embedded_specs() -> tuple[ClipSpec, ...]:
    """Return the recipes, in the order of the manifest."""
    return (*_rotations(), *_translations(), *_zooms(), *_mixtures(), *_still(), *_shaky(), *_followers())


def _rotations() -> tuple[ClipSpec, ...]:
    return (
        ClipSpec("pan_right_room", "room", 101, (pan(28),), start_yaw_deg=-12),
        ClipSpec("pan_left_street", "street", 102, (pan(-34),), start_yaw_deg=12, shutter=0.5, seconds=2.0),
        ClipSpec("tilt_up_street", "street", 103, (tilt(20),), start_yaw_deg=38, start_pitch_deg=-4, size_px=TALL, hfov_deg=44),
        ClipSpec("tilt_down_landscape", "landscape", 104, (tilt(-15, ease=Ease.ENDS_SLOWLY),), start_pitch_deg=11),
        ClipSpec("roll_clockwise_gallery", "gallery", 105, (roll(24),), noise=2.5),
        ClipSpec("roll_counterclockwise_garden", "garden", 106, (roll(-32, start=0.1, end=0.9),), fps=30),
    )


def _translations() -> tuple[ClipSpec, ...]:
    return (
        ClipSpec("dolly_in_corridor", "corridor", 201, (dolly(0.5),), seconds=2.8),
        ClipSpec("dolly_in_landscape", "landscape", 202, (dolly(0.32, ease=Ease.LINEAR),), hfov_deg=72),
        ClipSpec("dolly_out_room", "room", 203, (dolly(-0.42),)),
        ClipSpec("dolly_out_street", "street", 204, (dolly(-0.38, ease=Ease.LINEAR),), noise=2.5, crf=24),
        ClipSpec("truck_right_table", "table_top", 205, (truck(0.3),), size_px=CLASSIC),
        ClipSpec("truck_right_garden", "garden", 206, (truck(0.26, ease=Ease.LINEAR),), fps=30, seconds=2.0),
        ClipSpec("truck_left_storehouse", "storehouse", 207, (truck(-0.34),), exposure=0.8, noise=3.0),
        ClipSpec("truck_left_posters", "poster_wall", 208, (truck(-0.45),), shutter=0.5, seconds=2.0),
        ClipSpec("pedestal_up_street", "street", 209, (pedestal(0.3),), start_yaw_deg=-32, hfov_deg=58),
        ClipSpec("pedestal_down_room", "room", 210, (pedestal(-0.2),), start_yaw_deg=8),
    )


def _zooms() -> tuple[ClipSpec, ...]:
    return (
        ClipSpec("zoom_in_landscape", "landscape", 301, (zoom(1.7),), hfov_deg=70),
        ClipSpec("zoom_in_storehouse", "storehouse", 302, (zoom(1.4, start=0.15, end=0.85),), size_px=CLASSIC, noise=2.0),
        ClipSpec("zoom_out_room", "room", 303, (zoom(1 / 1.5),), hfov_deg=48),
        ClipSpec("zoom_out_street", "street", 304, (zoom(1 / 1.75, ease=Ease.LINEAR),), hfov_deg=42),
    )


def _mixtures() -> tuple[ClipSpec, ...]:
    arc = float(np.radians(20))
    return (
        ClipSpec("arc_right_storehouse", "storehouse", 401, (Arc(arc, radius=0.7),), seconds=2.8),
        ClipSpec("arc_left_table", "table_top", 402, (Arc(-1.2 * arc, radius=0.9),), fps=30, seconds=2.0),
        ClipSpec("dolly_in_tilt_up_garden", "garden", 403, (dolly(0.3), tilt(13, start=0.3)), shutter=0.4),
        ClipSpec("zoom_in_pan_left_gallery", "gallery", 404, (zoom(1.35), pan(-16)), noise=2.0),
        ClipSpec("crane_down_landscape", "landscape", 405, (pedestal(0.34), tilt(-13)), start_pitch_deg=3, hfov_deg=60),
        ClipSpec("dolly_zoom_corridor", "corridor", 406, (DollyZoom(0.36, subject=1.1),), hfov_deg=52, seconds=2.8),
    )


def _still() -> tuple[ClipSpec, ...]:
    return (
        ClipSpec("static_room", "room", 501, seconds=2.0, noise=2.5),
        ClipSpec("static_landscape", "landscape", 502, seconds=2.0, fps=12),
        ClipSpec("static_walker_street", "street", 503, movers=(MoverSpec(WALKER, (-1.6, -2.2), (1.5, 0.0)),)),
        ClipSpec("static_van_street", "street", 504, movers=(MoverSpec(VAN, (-3.4, -0.7), (2.9, 0.0)),), start_yaw_deg=-6),
    )


def _shaky() -> tuple[ClipSpec, ...]:
    light, strong = Shake(float(np.radians(0.22)), 0.004, 61), Shake(float(np.radians(0.75)), 0.012, 62)
    return (
        ClipSpec("shaky_light_garden", "garden", 601, shake=light),
        ClipSpec("shaky_strong_room", "room", 602, shake=strong, fps=30, seconds=2.0),
        ClipSpec("shaky_walker_gallery", "gallery", 603, shake=light, movers=(MoverSpec(WALKER, (1.2, -0.8), (-1.1, 0.0)),)),
        ClipSpec("shaky_dolly_in_street", "street", 604, (dolly(0.34, ease=Ease.LINEAR),), shake=strong),
        ClipSpec("shaky_pan_right_landscape", "landscape", 605, (pan(24),), shake=light, fps=12, seconds=2.8),
    )


def _followers() -> tuple[ClipSpec, ...]:
    return (
        ClipSpec(
            "pan_right_walker_garden", "garden", 701, (pan(24, ease=Ease.LINEAR),), movers=(MoverSpec(WALKER, (0.0, 0.0), (0.85, 0.0)),)
        ),
        ClipSpec(
            "truck_right_walker_gallery",
            "gallery",
            702,
            (truck(0.5),),
            movers=(MoverSpec(WALKER, (0.2, -0.5), follows_camera=True),),
            seconds=2.8,
        ),
    )
