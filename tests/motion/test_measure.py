"""Claims: the measured path is the path the camera made, whatever the world's frame, the scale, gaps, and the frame rate."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_paths import SIZE_PX, build, motion, ramp

from sfmcam.errors import InputError
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.motion.depth import NOMINAL_EXTENT, NOMINAL_METRIC_DEPTH_M, DepthSource
from sfmcam.motion.measure import NOMINAL_FOCAL_OVER_WIDTH, measure
from sfmcam.motion.measurement import DOF_KEYS
from sfmcam.motion.primitive import Dof
from sfmcam.types import CameraTrajectory, Evidence, Scale

EVERYTHING = motion({Dof.TILT: 0.1, Dof.PAN: 0.5, Dof.ROLL: -0.2, Dof.RIGHT: 0.3, Dof.DOWN: -0.1, Dof.IN: 0.4, Dof.ZOOM: 0.2})


def look(axis: str, angle_rad: float) -> CameraTrajectory:
    """Two frames; the second camera looks, seen from the first, `angle_rad` towards `axis` (up, right) or has its top turned clockwise."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    first_from_second = {
        "up": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "right": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "clockwise": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]
    poses = np.stack([np.eye(4), inverse(rigid_from_parts(np.array(first_from_second), np.zeros(3)))])
    nan = np.full(2, np.nan)
    return CameraTrajectory(np.array([0.0, 1.0]), poses, nan, np.ones(2, bool), nan)


@pytest.mark.parametrize(("axis", "dof"), [("up", Dof.TILT), ("right", Dof.PAN), ("clockwise", Dof.ROLL)])
def test_rotation_signs_from_first_principles(axis: str, dof: Dof) -> None:
    expected = np.zeros(3)
    expected[dof] = 0.3
    np.testing.assert_allclose(measure(look(axis, 0.3)).net[:3], expected, atol=1e-12)


@pytest.mark.parametrize(("dof", "center"), [(Dof.RIGHT, (1, 0, 0)), (Dof.DOWN, (0, 1, 0)), (Dof.IN, (0, 0, 1))])
def test_translation_signs_from_first_principles(dof: Dof, center: tuple[int, int, int]) -> None:
    poses = np.stack([np.eye(4), np.eye(4)])
    poses[1, :3, 3] = -0.5 * np.array(center)  # a camera at +c sees the world shifted by -c
    path = CameraTrajectory(np.array([0.0, 1.0]), poses, np.full(2, np.nan), np.ones(2, bool), np.full(2, 2.0))
    assert measure(path).net[dof] == pytest.approx(0.25)
    assert np.nansum(np.abs(measure(path).net)) == pytest.approx(0.25)


def test_the_path_is_what_was_built() -> None:
    measured = measure(build(EVERYTHING))
    np.testing.assert_allclose(measured.path, EVERYTHING, atol=1e-9)
    np.testing.assert_allclose(np.cumsum(measured.steps, axis=0), EVERYTHING[1:], atol=1e-9)
    np.testing.assert_allclose(measured.net, EVERYTHING[-1], atol=0.02)
    assert measured.depth_source is DepthSource.POINTS


@given(rotation=st.tuples(*[st.floats(-3, 3)] * 3), shift=st.tuples(*[st.floats(-50, 50)] * 3), size=st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_world_frame_and_scale_do_not_matter(rotation: tuple[float, ...], shift: tuple[float, ...], size: float) -> None:
    plain = build(EVERYTHING)
    old_from_new = rigid_from_parts(rotation_from_vector(np.array(rotation)), np.array(shift))
    poses = plain.cam_from_world @ old_from_new
    poses[:, :3, 3] *= size
    moved = replace(plain, cam_from_world=poses, median_depth=plain.median_depth * size)
    a, b = measure(plain), measure(moved)
    for name in ("steps", "path", "smooth", "net", "rise", "fall", "jitter", "sigma", "net_rotation_rad"):
        np.testing.assert_allclose(getattr(b, name), getattr(a, name), atol=1e-7, err_msg=name)


def test_a_full_circle_counts_as_a_full_circle() -> None:
    measured = measure(build(motion({Dof.PAN: 2 * np.pi}, n=49)))
    assert np.degrees(measured.path[-1, Dof.PAN]) == pytest.approx(360)
    assert np.degrees(measured.rise[Dof.PAN]) == pytest.approx(360, abs=4)
    np.testing.assert_allclose(measured.net_rotation_rad, 0, atol=1e-9)  # the Euler angles of the net rotation see nothing


def test_net_rotation_agrees_with_the_sums_for_one_axis() -> None:
    for dof in (Dof.TILT, Dof.PAN, Dof.ROLL):
        measured = measure(build(motion({dof: 0.6})))
        np.testing.assert_allclose(measured.net_rotation_rad, measured.path[-1, :3], atol=1e-9)


def test_frames_without_a_pose_are_bridged_not_invented() -> None:
    whole = build(EVERYTHING)
    valid = np.ones(len(whole), bool)
    valid[[0, 5, 6, 7, 8, 20]] = False
    poses, focal_px = whole.cam_from_world.copy(), whole.focal_px.copy()
    poses[~valid] = np.nan
    focal_px[~valid] = np.nan
    measured = measure(replace(whole, cam_from_world=poses, focal_px=focal_px, valid=valid))
    assert np.isnan(measured.path[~valid]).all()
    assert np.isnan(measured.smooth[~valid]).all()
    assert measured.steps.shape == (valid.sum() - 1, 7)
    relative = EVERYTHING[valid] - EVERYTHING[1]
    np.testing.assert_allclose(measured.path[valid], relative, atol=0.004)


def test_two_frames_are_enough_and_one_is_not() -> None:
    two = measure(build(EVERYTHING[[0, -1]], fps=1.0))
    np.testing.assert_allclose(two.net, EVERYTHING[-1], atol=1e-9)
    np.testing.assert_allclose(two.jitter, 0, atol=1e-12)
    one = build(EVERYTHING)
    valid = np.zeros(len(one), bool)
    valid[3] = True
    with pytest.raises(InputError, match="a pose for 1 of 25 frames; motion needs at least two"):
        measure(replace(one, valid=valid))


def test_an_unknown_focal_length_is_unknown_not_zero() -> None:
    measured = measure(build(EVERYTHING, focal=False))
    assert np.isnan([measured.net[Dof.ZOOM], measured.rise[Dof.ZOOM], measured.jitter[Dof.ZOOM]]).all()
    assert not measured.zoom_known
    assert measured.focal_over_width == NOMINAL_FOCAL_OVER_WIDTH
    assert np.isfinite(measured.total_image_motion)


def test_focal_length_known_in_some_frames_only() -> None:
    whole = build(EVERYTHING)
    focal_px = whole.focal_px.copy()
    focal_px[[0, 7, 8, 24]] = np.nan
    measured = measure(replace(whole, focal_px=focal_px))
    assert measured.net[Dof.ZOOM] == pytest.approx(0.2, abs=0.02)
    assert np.isnan(measured.path[[0, 7, 8, 24], Dof.ZOOM]).all()
    assert np.isfinite(measured.path[[0, 7, 8, 24], Dof.PAN]).all()


def test_depth_known_in_some_frames_only() -> None:
    whole = build(EVERYTHING)
    depth = whole.median_depth.copy()
    depth[::3] = np.nan
    np.testing.assert_allclose(measure(replace(whole, median_depth=depth)).path, EVERYTHING, atol=1e-9)


def test_changing_depth_counts_alike_there_and_back() -> None:
    """A dolly towards a wall 4 units away, in 20 steps of 0.15: log(4) in the limit of small steps, the same backwards."""
    poses = np.tile(np.eye(4), (21, 1, 1))
    poses[:, 2, 3] = -0.15 * np.arange(21)
    depth = 4.0 - 0.15 * np.arange(21)
    there = CameraTrajectory(np.arange(21) / 8, poses, np.full(21, np.nan), np.ones(21, bool), depth)
    back = replace(there, cam_from_world=poses[::-1], median_depth=depth[::-1])
    assert measure(there).path[-1, Dof.IN] == pytest.approx(np.log(4), rel=0.02)
    assert measure(back).path[-1, Dof.IN] == pytest.approx(-measure(there).path[-1, Dof.IN])


@pytest.mark.parametrize("depth_of_world", [1.0, 1000.0])
def test_without_depth_the_extent_of_the_path_is_the_unit(depth_of_world: float) -> None:
    dofs = motion({Dof.RIGHT: 0.5 * depth_of_world})
    measured = measure(build(dofs, depth=None))
    assert measured.depth_source is DepthSource.PATH_EXTENT
    assert measured.net[Dof.RIGHT] == pytest.approx(NOMINAL_EXTENT, rel=0.02)


def test_without_depth_pose_noise_is_not_blown_up_to_a_motion() -> None:
    rng = np.random.default_rng(0)
    noise_only, moving = np.zeros((40, 7)), motion({Dof.IN: 1.0}, n=40)
    noise_only[:, 3:6] = rng.normal(0, 1e-3, (40, 3))
    moving[:, 3:6] += rng.normal(0, 1e-2, (40, 3))
    assert measure(build(noise_only, depth=None)).extent[3:6].max() < 0.25 * NOMINAL_EXTENT
    assert measure(build(moving, depth=None)).net[Dof.IN] == pytest.approx(NOMINAL_EXTENT, rel=0.05)


def test_a_metric_path_without_depth_uses_a_nominal_depth() -> None:
    measured = measure(build(motion({Dof.IN: 0.75}), depth=None, scale=Scale.METRIC))  # built in units of 2 m
    assert measured.depth_source is DepthSource.NOMINAL_METRIC
    assert measured.net[Dof.IN] == pytest.approx(1.5 / NOMINAL_METRIC_DEPTH_M, rel=0.02)


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("rounding", [0.0, 1e-7])
def test_a_path_without_translation_has_none(scale: Scale, rounding: float) -> None:
    turning = build(motion({Dof.ROLL: 1.0}), depth=None, scale=scale)
    shifted = turning.cam_from_world @ rigid_from_parts(np.eye(3), np.array([1.0, 2.0, 3.0]))
    shifted[:, :3, 3] += rounding * np.random.default_rng(0).normal(size=(len(shifted), 3))
    measured = measure(replace(turning, cam_from_world=shifted))
    assert measured.depth_source is DepthSource.NONE
    np.testing.assert_array_equal(measured.net[3:6], 0)


@pytest.mark.parametrize("fps", [4.0, 8.0, 30.0])
def test_the_frame_rate_changes_little(fps: float) -> None:
    n = int(4 * fps) + 1
    dofs = np.zeros((n, 7))
    dofs[:, Dof.PAN], dofs[:, Dof.IN] = 0.5 * ramp(n, start=0.2, end=0.9), 0.4 * ramp(n)
    measured = measure(build(dofs, fps=fps))
    assert measured.rise[Dof.PAN] == pytest.approx(0.5, abs=0.02)
    assert measured.rise[Dof.IN] == pytest.approx(0.4, abs=0.02)


def test_shake_is_jitter_and_motion_is_not() -> None:
    rng = np.random.default_rng(0)
    steady = motion({Dof.PAN: 0.6}, n=60, start=0.1, end=0.6)
    shaky = steady.copy()
    shaky[:, :3] += rng.normal(0, np.radians(0.5), (60, 3))
    assert np.degrees(measure(build(steady)).jitter[Dof.PAN]) < 0.05
    assert np.degrees(measure(build(shaky)).jitter[:3]) == pytest.approx(0.42, abs=0.12)
    assert measure(build(shaky)).rise[Dof.PAN] == pytest.approx(0.6, abs=0.03)


def test_one_bad_pose_is_not_a_motion() -> None:
    dofs = motion({Dof.RIGHT: 0.2}, n=30)
    dofs[11] += [0.3, -0.4, 0.2, 1.0, 1.0, -2.0, 0.5]
    measured = measure(build(dofs))
    assert np.delete(measured.extent, Dof.RIGHT).max() < 0.02
    assert measured.jitter[Dof.IN] > 0.1  # it is told as unsteadiness


@pytest.mark.parametrize("row", [0, -1])
def test_one_bad_pose_at_an_end_is_not_a_motion(row: int) -> None:
    dofs = motion({Dof.RIGHT: 0.2}, n=30)
    dofs[row, :6] += 0.3
    assert np.delete(measure(build(dofs)).extent, Dof.RIGHT).max() < 0.02


def test_rise_and_fall_see_what_first_to_last_does_not() -> None:
    there = motion({Dof.PAN: 0.5}, n=21)
    measured = measure(build(np.vstack([there, there[-2::-1]])))
    assert abs(measured.net[Dof.PAN]) < 0.01
    assert measured.rise[Dof.PAN] == pytest.approx(0.5, rel=0.06)
    assert measured.fall[Dof.PAN] == pytest.approx(0.5, rel=0.06)


def test_uncertainty_comes_from_the_evidence_or_a_default() -> None:
    stated = measure(build(EVERYTHING, evidence=Evidence(rotation_sigma_rad=0.001, translation_sigma=0.02, log_focal_sigma=0.003)))
    np.testing.assert_allclose(stated.noise, [0.001] * 3 + [0.02] * 3 + [0.003])
    assert (measure(build(EVERYTHING)).noise > 0).all()
    assert (stated.sigma >= stated.noise).all()


def test_focal_length_turns_angles_into_picture_widths() -> None:
    measured = measure(build(motion({Dof.PAN: 0.2})))
    assert measured.focal_over_width == pytest.approx(435 / SIZE_PX[0])
    assert measured.image_motion[Dof.PAN] == pytest.approx(0.2 * 435 / SIZE_PX[0], rel=0.02)
    assert measured.total_image_motion == pytest.approx(np.linalg.norm(measured.image_motion))


def test_json_holds_no_nan_and_every_degree_of_freedom() -> None:
    whole = build(EVERYTHING, focal=False)
    valid = np.ones(len(whole), bool)
    valid[4] = False
    document = json.loads(json.dumps(measure(replace(whole, valid=valid)).to_json(), allow_nan=False))
    assert tuple(document["dofs"]) == DOF_KEYS
    assert document["dofs"]["pan_deg"]["net"] == pytest.approx(np.degrees(0.5), rel=0.02)
    assert document["dofs"]["log_zoom"]["net"] is None
    assert document["frames"]["pan_deg"][4] is None
    assert document["depth_source"] == "points"


def test_steps_are_taken_along_the_first_cameras_axes() -> None:
    dofs = motion({Dof.PAN: np.pi / 2}, n=20, end=0.4) + motion({Dof.IN: 0.5}, n=20, start=0.5)
    measured = measure(build(dofs))  # the builder places centres along the first camera's axes, whatever the rotation
    np.testing.assert_allclose(measured.path[:, Dof.IN], dofs[:, Dof.IN], atol=1e-9)
    np.testing.assert_allclose(measured.path[:, Dof.RIGHT], 0, atol=1e-9)
