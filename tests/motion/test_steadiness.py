"""Claims: shake is told from motion and from noise, at any frame rate and length that can show it, and measured alike at all of them."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from steadiness_paths import LIGHT, QUIET, STRONG, filmed

from sfmcam.datasets.synthetic.camera_path import Arc, DollyZoom, Ease, Shake, dolly, pan, pedestal, roll, tilt, truck, zoom
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.motion.describe import describe
from sfmcam.motion.measure import measure
from sfmcam.motion.shake import residual
from sfmcam.motion.steadiness import Steadiness, SteadinessMeasurement, measure_steadiness, smooth_picture
from sfmcam.types import CameraTrajectory, Evidence

PURE = [pan(25), pan(-60), tilt(20), roll(30), truck(0.4), pedestal(-0.3), dolly(0.5), zoom(1.8), zoom(1 / 1.5), Arc(0.5), DollyZoom(0.4)]
THERE_AND_BACK = [
    (pan(30, end=0.5), pan(-30, start=0.5)),
    (pan(30, end=0.5, ease=Ease.LINEAR), pan(-30, start=0.5, ease=Ease.LINEAR)),  # a direction change within one frame
    (tilt(20, end=0.4), dolly(0.5, start=0.4)),
]


def steadiness(trajectory: CameraTrajectory) -> SteadinessMeasurement:
    return measure_steadiness(measure(trajectory))


def jitter(trajectory: CameraTrajectory) -> float:
    return steadiness(trajectory).jitter.jitter_widths


@pytest.mark.parametrize("noise", [(0.0, 0.0, 0.0), QUIET], ids=["true poses", "noise"])
@pytest.mark.parametrize("fps", [8, 12, 24, 30])
@pytest.mark.parametrize(("shake", "fixed", "moving"), [(None, "locked_off", "smooth"), (STRONG, "fixed_shaky", "shaky")])
def test_kinds(shake: Shake | None, fixed: str, moving: str, fps: float, noise: tuple[float, float, float]) -> None:
    assert steadiness(filmed(shake=shake, fps=fps, noise=noise)).kind == fixed
    for k, curve in enumerate(PURE):
        assert steadiness(filmed([curve], shake=shake, seed=k, fps=fps, noise=noise)).kind == moving, curve


@pytest.mark.parametrize("fps", [12, 24, 30])
def test_light_shake_is_seen_on_a_fixed_and_on_a_moving_camera(fps: float) -> None:
    for seed in range(12):
        assert steadiness(filmed(shake=LIGHT, seed=seed, fps=fps, noise=QUIET)).kind is Steadiness.FIXED_SHAKY
        assert steadiness(filmed([pan(25)], shake=LIGHT, seed=seed, fps=fps, noise=QUIET)).kind is Steadiness.SHAKY


@pytest.mark.parametrize("fps", [8, 12, 24])
@pytest.mark.parametrize("curves", THERE_AND_BACK, ids=["eased", "at once", "one after the other"])
def test_a_change_of_direction_is_no_shake(curves: tuple, fps: float) -> None:
    for seconds in (2.2, 3.0, 6.0):
        assert steadiness(filmed(curves, seconds=seconds, fps=fps)).kind is Steadiness.SMOOTH


@pytest.mark.parametrize("ease", Ease)
def test_fast_pans_that_start_and_stop_within_the_clip_are_no_shake(ease: Ease) -> None:
    rng = np.random.default_rng(3)
    kinds = []
    for seed in range(60):
        seconds, fps, start = rng.uniform(2, 6), rng.choice([8, 12, 24, 30]), rng.uniform(0, 0.4)
        end = min(1.0, start + rng.uniform(0.6, 2.5) / seconds)
        curve = (pan, tilt, roll)[seed % 3](rng.uniform(5, 60), start=start, end=end, ease=ease)
        kinds.append(steadiness(filmed([curve], seconds=seconds, fps=fps, seed=seed, noise=QUIET)).kind)
    assert kinds.count(Steadiness.SMOOTH) >= (57 if ease is Ease.LINEAR else 59)  # from rest to 50 degrees per second within a frame


@pytest.mark.parametrize("shake", [LIGHT, STRONG], ids=["light", "strong"])
@pytest.mark.parametrize("seconds", [2.0, 3.0, 5.0, 10.0])
def test_the_same_path_at_12_and_24_fps_has_the_same_jitter(shake: Shake, seconds: float) -> None:
    for seed in range(20):
        slow, fast = (jitter(filmed([tilt(10)], shake=shake, seed=seed, seconds=seconds, fps=fps)) for fps in (12, 24))
        assert slow == pytest.approx(fast, rel=0.15)


@pytest.mark.parametrize(("fps", "within"), [(6, 0.3), (8, 0.15), (15, 0.05), (30, 0.03)])
def test_jitter_hardly_depends_on_the_frame_rate(fps: float, within: float) -> None:
    """What a low rate cannot show as tremble folds into the band below, as every sampling does; below 8 fps a part folds under 1 Hz."""
    ratios = [jitter(filmed(shake=STRONG, seed=seed, fps=fps)) / jitter(filmed(shake=STRONG, seed=seed)) for seed in range(20)]
    assert np.median(ratios) == pytest.approx(1.0, abs=within)


def test_jitter_hardly_depends_on_the_length() -> None:
    means = [np.mean([jitter(filmed(shake=STRONG, seed=seed, seconds=seconds)) for seed in range(20)]) for seconds in (2.2, 4.0, 12.0)]
    assert means == pytest.approx([means[-1]] * 3, rel=0.1)


def test_jitter_grows_with_the_shake_and_is_in_picture_widths() -> None:
    """A hand that turns the camera by 1 degree rms moves the picture by 0.015 widths rms per axis at this focal length (0.85 widths)."""
    sizes = np.radians([0.1, 0.3, 1.0])
    found = [jitter(filmed(shake=Shake(float(size), 0.0, 1))) for size in sizes]
    assert np.array(found) / sizes == pytest.approx([found[0] / sizes[0]] * 3, rel=0.05)
    of_all_bands = 0.85 * np.sqrt(2)  # tilt and pan; roll adds little, and what is slower than about 1.3 Hz counts as sway
    assert 0.6 * of_all_bands < found[1] / sizes[1] < of_all_bands


@pytest.mark.parametrize(("hertz", "band"), [(0.5, "sway"), (2.5, "hand"), (7.0, "tremble")])
def test_bands(hertz: float, band: str) -> None:
    plain = filmed(seconds=6.0, fps=30)
    pans = np.outer(0.01 * np.sin(2 * np.pi * hertz * plain.timestamps_s), [0.0, 1.0, 0.0])
    found = steadiness(replace(plain, cam_from_world=inverse(rigid_from_parts(rotation_from_vector(pans), np.zeros((len(pans), 3))))))
    sizes = {name: getattr(found, name).jitter_widths for name in ("sway", "hand", "tremble")}
    assert sizes[band] == pytest.approx(0.85 * 0.01 / np.sqrt(2), rel=0.25)
    assert all(size < 0.2 * sizes[band] for name, size in sizes.items() if name != band), sizes


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_noise_that_is_stated_is_no_shake(scale: float) -> None:
    """Up to where the floor could hide a shake that people see; there nothing is claimed."""
    noise = (0.001 * scale, 0.001 * scale, 0.001 * scale)
    for seed in range(10):
        for curves, kind in (((), Steadiness.LOCKED_OFF), ((pan(30),), Steadiness.SMOOTH)):
            found = steadiness(filmed(curves, seed=seed, noise=noise))
            assert found.shake_widths == 0.0
            assert found.kind in (kind, Steadiness.UNKNOWN) if scale > 1 else found.kind is kind


def test_a_pessimistic_estimator_does_not_hide_a_strong_shake() -> None:
    """The noise of a path is no more than what it shows at its highest frequencies, where a hand does little."""
    shaky = replace(filmed(shake=STRONG), evidence=Evidence(0.05, 0.05, 0.05))
    assert steadiness(shaky).kind is Steadiness.FIXED_SHAKY


def test_pan_and_truck_that_an_estimator_mixes_up_cancel() -> None:
    """Noise that leaves the picture where it is: it must not count as shake of the picture."""
    plain = filmed([tilt(20)])
    noise = 0.02 * np.random.default_rng(0).normal(size=len(plain))
    turn = rigid_from_parts(rotation_from_vector(np.outer(noise, [0.0, 1.0, 0.0])), np.outer(-noise, [1.0, 0.0, 0.0]))
    mixed = replace(plain, cam_from_world=inverse(turn) @ plain.cam_from_world, evidence=Evidence(1e-4, 1e-4, 1e-4))
    assert np.linalg.norm(measure(mixed).jitter) > 0.01
    assert jitter(mixed) < 0.002


def test_one_bad_pose_is_no_shake() -> None:
    plain = filmed([pan(25)])
    poses = plain.cam_from_world.copy()
    poses[30] = inverse(rigid_from_parts(rotation_from_vector(np.array([0.05, 0.0, 0.0])), np.zeros(3))) @ poses[30]
    assert steadiness(replace(plain, cam_from_world=poses)).kind is Steadiness.SMOOTH


@pytest.mark.parametrize("how", [{"seconds": 0.5}, {"fps": 1.0, "seconds": 12.0}, {"fps": 4.0}])
def test_what_a_clip_cannot_show_is_unknown(how: dict) -> None:
    found = steadiness(filmed([pan(25)], shake=STRONG, **how))
    assert found.kind is Steadiness.UNKNOWN
    assert found.to_json() == {"kind": "unknown"} | dict.fromkeys(set(found.to_json()) - {"kind"})


def test_a_picture_that_never_moves_is_locked_off_at_any_rate() -> None:
    assert steadiness(filmed(fps=1.0, seconds=12.0)).kind is Steadiness.LOCKED_OFF
    assert steadiness(filmed(fps=1.0, seconds=3.0)).kind is Steadiness.UNKNOWN


def test_sixteen_frames_are_enough() -> None:
    """What generators of video make: 16 frames at 8 fps."""
    assert steadiness(filmed([dolly(0.4)], fps=8, seconds=15 / 8)).kind is Steadiness.SMOOTH
    assert steadiness(filmed([dolly(0.4)], fps=8, seconds=15 / 8, shake=STRONG)).kind is Steadiness.SHAKY


def test_tremble_needs_a_frame_rate() -> None:
    assert np.isnan(steadiness(filmed(shake=STRONG, fps=8)).tremble.jitter_widths)
    assert steadiness(filmed(shake=STRONG, fps=24)).tremble.jitter_widths > 0.002


@pytest.mark.parametrize("turn", ["time", "mirror"])
def test_neither_time_nor_a_mirror_makes_a_camera_steadier(turn: str) -> None:
    plain = filmed([pan(25), dolly(0.2)], shake=LIGHT, noise=QUIET)
    if turn == "time":
        turned = replace(plain, cam_from_world=plain.cam_from_world[::-1], focal_px=plain.focal_px[::-1])
    else:
        mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
        turned = replace(plain, cam_from_world=mirror @ plain.cam_from_world @ mirror)
    assert jitter(turned) == pytest.approx(jitter(plain), rel=0.05)


def test_lost_frames_hardly_matter() -> None:
    plain = filmed([pan(25)], shake=STRONG)
    valid = np.random.default_rng(0).random(len(plain)) > 0.15
    valid[[0, -1]] = True
    sparse = replace(plain, valid=valid, cam_from_world=np.where(valid[:, None, None], plain.cam_from_world, np.nan))
    assert steadiness(sparse).kind is Steadiness.SHAKY
    assert jitter(sparse) == pytest.approx(jitter(plain), rel=0.15)


def test_a_hole_in_the_path_breaks_nothing() -> None:
    plain = filmed([pan(25)], shake=STRONG, seconds=12.0)
    valid = (plain.timestamps_s < 3) | (plain.timestamps_s > 10)
    holed = replace(plain, valid=valid, cam_from_world=np.where(valid[:, None, None], plain.cam_from_world, np.nan))
    assert steadiness(holed).kind is Steadiness.SHAKY


@pytest.mark.parametrize(
    ("curves", "shake", "sentence"),
    [
        ((pan(23),), STRONG, "The camera pans right 23 degrees, hand-held and shaking."),
        ((pan(23),), LIGHT, "The camera pans right 23 degrees, hand-held and shaking slightly."),
        ((), STRONG, "The camera is hand-held and shakes but goes nowhere."),
        ((), LIGHT, "The camera is hand-held and shakes slightly but goes nowhere."),
        ((), None, "The camera holds still."),
        ((pan(23, start=0.3, end=0.6),), None, "The camera pans right 23 degrees."),
    ],
)
def test_sentences(curves: tuple, shake: Shake | None, sentence: str) -> None:
    told = describe(measure(filmed(curves, shake=shake, seed=4)))
    assert re.sub(r"2\d degrees", "23 degrees", told) == sentence


def test_a_tremble_is_not_called_hand_held() -> None:
    plain = filmed(fps=30, seconds=4.0)
    shaken = np.outer(0.01 * np.sin(2 * np.pi * 8.0 * plain.timestamps_s), [1.0, 0.0, 0.0])
    engine = replace(plain, cam_from_world=inverse(rigid_from_parts(rotation_from_vector(shaken), np.zeros((len(shaken), 3)))))
    assert describe(measure(engine)) == "The camera shakes slightly but goes nowhere."


def test_json_is_strict() -> None:
    found = steadiness(filmed(shake=LIGHT, fps=8)).to_json()
    assert found["kind"] == "fixed_shaky"
    assert found["tremble_widths"] is None
    json.dumps(found, allow_nan=False)


def test_residual_energies_add_up() -> None:
    times_s = np.arange(90) / 30
    values = np.random.default_rng(0).normal(size=(90, 2))
    parts = residual(times_s, values, noise=np.ones(2), parts_tremble=True)
    whole = residual(times_s, values, noise=np.ones(2), parts_tremble=False)
    assert (parts.hand**2).sum() + (parts.tremble**2).sum() == pytest.approx((whole.hand**2).sum(), rel=1e-6)
    assert parts.noise_share.sum() == pytest.approx(whole.noise_share[0])
    assert (whole.hand**2).mean() == pytest.approx(whole.noise_share[0], rel=0.15)


def test_a_long_path_takes_seconds_at_most() -> None:
    measured = measure(filmed([pan(20)], shake=LIGHT, seconds=300.0))
    begin = time.process_time()
    measure_steadiness(measured)
    assert time.process_time() - begin < 6.0  # 0.4 s alone on one core; a dense system takes a minute


VAGUE = Evidence(rotation_sigma_rad=0.2, translation_sigma=0.4, log_focal_sigma=0.4, reprojection_error_px=0.3)


@pytest.mark.parametrize(
    ("curves", "sentence"),
    [
        ((zoom(1.25),), "The camera zooms or moves in, which of the two cannot be told."),
        ((dolly(-0.2),), "The camera zooms or moves out, which of the two cannot be told."),
        ((pan(8),), "The camera pans or moves right, which of the two cannot be told."),
        ((tilt(-6),), "The camera tilts or moves down, which of the two cannot be told."),
        ((truck(-0.1), pedestal(0.1)), "The camera pans or moves left and tilts or moves up, which of the two cannot be told."),
        ((), "The camera holds still."),
    ],
)
def test_a_picture_that_moves_is_told_even_where_the_motion_is_not_certain(curves: tuple, sentence: str) -> None:
    """The estimator cannot say which of two motions it was, but its points say for certain how the picture moved."""
    measured = measure(replace(filmed(curves), evidence=VAGUE))
    assert describe(measured) == sentence
    assert measure_steadiness(measured).kind is (Steadiness.SMOOTH if curves else Steadiness.LOCKED_OFF)


@pytest.mark.parametrize("fps", [8, 12, 24])
def test_a_shake_of_the_picture_is_certain_where_its_motion_is_not(fps: float) -> None:
    for curves, kind in (((), Steadiness.FIXED_SHAKY), ((pan(25),), Steadiness.SHAKY)):
        assert steadiness(replace(filmed(curves, shake=LIGHT, fps=fps, seed=2), evidence=VAGUE)).kind is kind


def test_picture_noise_is_that_of_the_mean_of_25_points() -> None:
    found = measure(replace(filmed(), evidence=Evidence(reprojection_error_px=2.4)))
    assert found.picture_noise_widths == pytest.approx(2.4 / 480 / 5)
    assert np.isnan(measure(replace(filmed(), evidence=Evidence(reprojection_error_px=2.4), image_size_px=None)).picture_noise_widths)


def test_the_smooth_picture_is_what_pan_and_truck_do_together() -> None:
    """A truck that makes up for a pan leaves the picture where it is."""
    together = smooth_picture(measure(filmed([pan(10), truck(-float(np.radians(10)))])))
    assert np.ptp(together[:, 0]) < 0.02 * 0.85 * np.radians(10)
    growth = smooth_picture(measure(filmed([dolly(0.2), zoom(1.2)])))[:, 3]
    assert growth[-1] - growth[0] == pytest.approx(0.5 * (0.2 + np.log(1.2)), rel=0.05)
