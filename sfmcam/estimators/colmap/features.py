"""From frames to a COLMAP database: images on disk, features (SIFT, or learned ones), matches and verified two-view geometries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pycolmap

from sfmcam.config import RunConfig
from sfmcam.estimators.colmap.learned.needs import require_learned
from sfmcam.estimators.colmap.options import ColmapOptions
from sfmcam.estimators.colmap.rotation_fit import Matches
from sfmcam.types import Frames

IMAGE_NAME = "{:06d}.png"


def frame_number(image_name: str) -> int:
    """Return the frame number that `write_images` put in a name."""
    match = re.match(r"(\d+)", image_name)
    if match is None:
        raise ValueError(f"{image_name} was not written by this estimator")
    return int(match.group(1))


def write_images(frames: Frames, folder: Path) -> None:
    """Write the frames as lossless images (fast compression: they are read once and thrown away).

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(frames.images):
        path = folder / IMAGE_NAME.format(number)
        bgr_or_gray = image[..., ::-1] if image.ndim == 3 else image
        if not cv2.imwrite(str(path), bgr_or_gray, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
            raise OSError(f"cannot write {path}")


def extract_and_match(database: Path, images: Path, frames: Frames, options: ColmapOptions, run: RunConfig) -> None:
    """Fill `database` with features, matches and two-view geometries.

    Raises:
        SfmcamError: learned features cannot be had here; see `learned.extraction`.
    """
    mode = pycolmap.CameraMode.SINGLE if options.single_camera else pycolmap.CameraMode.AUTO
    exhaustive = options.matching == "exhaustive" and len(frames) <= options.exhaustive_max_frames
    if options.features != "sift":
        require_learned(options.features)
        from sfmcam.estimators.colmap.learned.extraction import extract_and_match_learned  # PyTorch takes seconds, which SIFT does not need

        extract_and_match_learned(
            database, frames, options, run=run, imported={"images": images, "camera_mode": mode, "reader": _reader(frames, options)},
            verification=_verification(options, run), sequential=None if exhaustive else _sequential(run),
        )  # fmt: skip
        return
    pycolmap.extract_features(
        database, images, camera_mode=mode, reader_options=_reader(frames, options),
        extraction_options=_extraction(options, run), device=pycolmap.Device.cpu,
    )  # fmt: skip
    shared: dict[str, Any] = {
        "matching_options": _matching(run), "verification_options": _verification(options, run), "device": pycolmap.Device.cpu,
    }  # fmt: skip
    if exhaustive:
        pycolmap.match_exhaustive(database, **shared)
    else:
        pycolmap.match_sequential(database, pairing_options=_sequential(run), **shared)


def count_features(database: Path) -> list[int]:
    """Return the number of features of each image."""
    with pycolmap.Database.open(database) as db:
        return [db.num_keypoints_for_image(image.image_id) for image in db.read_all_images()]


def read_matches(database: Path, size_px: tuple[int, int], *, max_per_pair: int, seed: int) -> Matches:
    """Read the inlier matches of every verified pair, at most `max_per_pair` of each, drawn with `seed`."""
    rng = np.random.default_rng(seed)
    center = np.asarray(size_px, float) / 2
    rows: list[tuple[Any, ...]] = []
    with pycolmap.Database.open(database) as db:
        frame_of = {image.image_id: frame_number(image.name) for image in db.read_all_images()}
        points = {image_id: db.read_keypoints(image_id)[:, :2].astype(float) - center for image_id in frame_of}
        for pair_id, geometry in zip(*db.read_two_view_geometries(), strict=True):
            inliers = geometry.inlier_matches
            if len(inliers) > max_per_pair:
                inliers = inliers[np.sort(rng.choice(len(inliers), max_per_pair, replace=False))]
            ends = sorted(zip(pycolmap.pair_id_to_image_pair(pair_id), (0, 1), strict=True), key=lambda end: frame_of[end[0]])
            (first, first_column), (second, second_column) = ends
            frame_numbers = np.full((len(inliers), 2), (frame_of[first], frame_of[second]), np.int64)
            rows.append((frame_numbers, points[first][inliers[:, first_column]], points[second][inliers[:, second_column]]))
    if not rows:
        return Matches(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros((0, 2)))
    frame_numbers, xy_i, xy_j = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Matches(frame_numbers[:, 0], frame_numbers[:, 1], xy_i, xy_j)


def _sequential(run: RunConfig) -> Any:
    pairing = pycolmap.SequentialPairingOptions()
    pairing.num_threads = run.threads  # loop detection stays off: it would download a vocabulary tree, and abort when offline
    return pairing


def _reader(frames: Frames, options: ColmapOptions) -> Any:
    reader = pycolmap.ImageReaderOptions()
    if options.camera_model is not None:
        reader.camera_model = options.camera_model
    if options.focal_factor is not None:
        width, height = frames.size_px
        camera = pycolmap.Camera.create_from_model_name(0, reader.camera_model, options.focal_factor * max(width, height), width, height)
        reader.camera_params = camera.params_to_string()
    return reader


def _extraction(options: ColmapOptions, run: RunConfig) -> Any:
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads, extraction.use_gpu = run.threads, False
    if options.max_num_features is not None:
        extraction.sift.max_num_features = options.max_num_features
    return extraction


def _matching(run: RunConfig) -> Any:
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads, matching.use_gpu = run.threads, False
    return matching


def _verification(options: ColmapOptions, run: RunConfig) -> Any:
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = run.seed
    if options.choose_motion_model:
        verification.detect_watermark = False  # a still camera looks like a watermark, and its pairs would be thrown away
    if options.two_view_max_error_px is not None:
        verification.ransac.max_error = options.two_view_max_error_px
    return verification
