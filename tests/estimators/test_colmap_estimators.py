"""COLMAP and GLOMAP on rendered clips with known motion: right where they answer, a reason where they do not."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest
from rendered_frames import blank_frames, clip, frames, frames_of, noise_frames

from sfmcam.estimators.colmap.mapping import MapperResult, map_incremental
from sfmcam.estimators.registry import load_estimator, parse_spec, run_config
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import Dof
from sfmcam.motion.score import score_primitives
from sfmcam.types import Estimate, Status


def estimate(spec: str, given, tmp_path) -> Estimate:
    return load_estimator(parse_spec(spec), run_config({})).estimate(given, workspace=tmp_path)


def rotation_errors_deg(found, true_cam_from_world) -> np.ndarray:
    """Angles between found and true rotations relative to the first frame."""
    relative = [p[:, :3, :3] @ p[0, :3, :3].T for p in (found, true_cam_from_world)]
    return np.degrees(rotation_angle_rad(relative[0] @ relative[1].transpose(0, 2, 1)))


@pytest.mark.parametrize("name", ["pan", "zoom", *(pytest.param(name, marks=pytest.mark.slow) for name in ("roll", "shaky"))])
def test_a_camera_on_one_spot_gets_no_translation(name, tmp_path):
    found = estimate("glomap", frames(name), tmp_path)
    assert found.status is Status.ROTATION_ONLY
    assert found.trajectory is not None
    np.testing.assert_array_equal(found.trajectory.cam_from_world[:, :3, 3], 0.0)
    assert rotation_errors_deg(found.trajectory.cam_from_world, clip(name).cam_from_world).max() < 2.0
    zoom = np.log(found.trajectory.focal_px / found.trajectory.focal_px[0])
    truth = np.log(clip(name).focal_px / clip(name).focal_px[0])
    np.testing.assert_allclose(zoom, truth, atol=0.03)


def test_a_still_camera_is_still(tmp_path):
    found = estimate("glomap", frames("still"), tmp_path)
    assert found.status is Status.STILL
    assert found.trajectory is not None
    assert score_primitives(measure(found.trajectory))["static"] > score_primitives(measure(clip("shaky").trajectory()))["static"] + 1


@pytest.mark.parametrize(
    ("spec", "name", "dof"),
    [
        ("glomap", "truck", Dof.RIGHT),
        ("colmap", "dolly", Dof.IN),
        pytest.param("colmap", "truck", Dof.RIGHT, marks=pytest.mark.slow),
        pytest.param("glomap", "dolly", Dof.IN, marks=pytest.mark.slow),
    ],
)
def test_a_moving_camera_moves_as_it_did(spec, name, dof, tmp_path):
    found = estimate(spec, frames(name), tmp_path)
    assert found.status is Status.OK, found.message
    assert found.trajectory is not None
    motion, truth = measure(found.trajectory), measure(clip(name).trajectory())
    assert motion.net[dof] == pytest.approx(truth.net[dof], rel=0.35)
    others = [d for d in (Dof.RIGHT, Dof.DOWN, Dof.IN) if d != dof]
    assert np.abs(motion.net[others]).max() < 0.25 * abs(motion.net[dof])
    errors = rotation_errors_deg(found.trajectory.cam_from_world[found.trajectory.valid], clip(name).cam_from_world[found.trajectory.valid])
    assert np.median(errors) < 1.0
    assert found.points is not None
    assert len(found.points.points_in_world) > 50


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (blank_frames(), Status.TOO_FEW_FEATURES),
        (noise_frames(), Status.TOO_FEW_MATCHES),
        (frames_of(np.zeros((1, 90, 120, 3), np.uint8)), Status.TOO_FEW_FRAMES),
    ],
    ids=["blank", "unrelated", "one frame"],
)
def test_input_that_cannot_be_solved_says_why(given, status, tmp_path):
    found = estimate("glomap", given, tmp_path)
    assert found.status is status
    assert found.message


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (MapperResult(None, started=False), Status.NO_INITIAL_PAIR),
        (MapperResult(None, started=True), Status.MAPPING_FAILED),
        (MapperResult(pycolmap.Reconstruction(), started=True), Status.MAPPING_FAILED),
    ],
    ids=["no pair", "no model kept", "empty model"],
)
def test_a_mapper_that_fails_says_why(monkeypatch, result, status, tmp_path):
    monkeypatch.setattr("sfmcam.estimators.colmap.estimator.map_incremental", lambda *_: result)
    found = estimate("colmap", frames("dolly"), tmp_path)
    assert found.status is status
    assert "a turning, zooming camera leaves" in found.message


def test_a_map_of_too_few_frames_does_not_speak_for_the_clip(monkeypatch, tmp_path):
    def first_frames_only(*arguments):
        result = map_incremental(*arguments)
        assert result.reconstruction is not None
        for image in list(result.reconstruction.images.values())[3:]:
            result.reconstruction.deregister_frame(image.frame_id)
        return result

    monkeypatch.setattr("sfmcam.estimators.colmap.estimator.map_incremental", first_frames_only)
    assert estimate("colmap", frames("dolly"), tmp_path).status is Status.TOO_FEW_REGISTERED


def test_two_identical_frames_are_a_still_camera(tmp_path):
    images = clip("still").frames[:1].repeat(2, axis=0)
    assert estimate("glomap", frames_of(images), tmp_path).status is Status.STILL
