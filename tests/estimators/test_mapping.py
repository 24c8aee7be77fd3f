"""The focal length is freed as far as the points tell it, and no further."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from sfmcam.estimators.colmap.assemble import trajectory_of
from sfmcam.estimators.colmap.features import IMAGE_NAME
from sfmcam.estimators.colmap.mapping import refine
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Frames

SIZE_PX = (480, 270)
PRIOR_PX = 384.0
NUM_FRAMES = 10
NOISE_PX = 0.2


def built(
    true_focal_px: float, centers: np.ndarray, pans_rad: np.ndarray, *, noise_px: float = 0.2, seed: int = 0
) -> pycolmap.Reconstruction:
    """A map whose observations were made with `true_focal_px`, but which believes in the prior focal length."""
    rng = np.random.default_rng(seed)
    points = np.stack([rng.uniform(-4, 4, 400), rng.uniform(-2, 2, 400), rng.uniform(3, 9, 400)], axis=1)
    built_map = pycolmap.Reconstruction()
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_PINHOLE", PRIOR_PX, *SIZE_PX)
    built_map.add_camera_with_trivial_rig(camera)
    seen: list[list[tuple[int, int]]] = [[] for _ in points]
    for frame in range(NUM_FRAMES):
        rotation = rotation_from_vector(np.array([0.0, -pans_rad[frame], 0.0]))
        in_cam = (points - centers[frame]) @ rotation.T
        xy = true_focal_px * in_cam[:, :2] / in_cam[:, 2:] + np.array(SIZE_PX) / 2 + rng.normal(0, NOISE_PX, (len(points), 2))
        inside = np.flatnonzero((xy > 0).all(1) & (xy < SIZE_PX).all(1) & (in_cam[:, 2] > 0.5))
        for row, point in enumerate(inside):
            seen[point].append((frame + 1, row))
        image = pycolmap.Image(name=IMAGE_NAME.format(frame), keypoints=xy[inside], camera_id=1, image_id=frame + 1)
        built_map.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pycolmap.Rotation3d(rotation), -rotation @ centers[frame]))
    for point, track in zip(points, seen, strict=True):
        if len(track) >= 3:
            elements = pycolmap.Track([pycolmap.TrackElement(image_id, row) for image_id, row in track])
            built_map.add_point3D(point * [1, 1, PRIOR_PX / true_focal_px], elements)
    return built_map


def arc() -> tuple[np.ndarray, np.ndarray]:
    """A path that tells the focal length: a move with a pan and a forward part."""
    t = np.linspace(0, 1, NUM_FRAMES)
    return np.stack([1.5 * t, 0 * t, 0.8 * t], axis=1), np.radians(-15) * t


def truck() -> tuple[np.ndarray, np.ndarray]:
    """A path that does not: focal length and translation only show as their product."""
    t = np.linspace(0, 1, NUM_FRAMES)
    return np.stack([1.5 * t, 0 * t, 0 * t], axis=1), 0 * t


@pytest.mark.parametrize("ratio", [0.65, 0.85, 1.15])
def test_an_arc_tells_its_focal_length(ratio):
    refined = refine(built(ratio * PRIOR_PX, *arc()))
    (camera,) = refined.reconstruction.cameras.values()
    assert camera.mean_focal_length() == pytest.approx(ratio * PRIOR_PX, rel=0.1)
    assert refined.focal_share > 0.8


@pytest.mark.parametrize("seed", range(3))
def test_a_truck_keeps_the_prior(seed):
    refined = refine(built(PRIOR_PX, *truck(), seed=seed))
    (camera,) = refined.reconstruction.cameras.values()
    assert camera.mean_focal_length() == pytest.approx(PRIOR_PX, rel=0.1)


def test_parts_that_share_no_points_are_not_joined():
    """Two halves of a map without common points have scales of their own: only the larger one counts."""
    split = built(PRIOR_PX, *arc())
    for point_id in list(split.point3D_ids()):
        observations = [(e.image_id, e.point2D_idx) for e in split.points3D[point_id].track.elements]
        for image_id, row in observations:
            if (image_id <= 6) != (point_id % 2 == 0) and split.exists_point3D(point_id):
                split.delete_observation(image_id, row)
    images = np.zeros((NUM_FRAMES, SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    given = Frames(images, np.arange(NUM_FRAMES) / 4.0, 4.0, SIZE_PX, Path("made-by-the-test"), "0" * 64)
    assert trajectory_of(split, given).valid.tolist() == [True] * 6 + [False] * 4
