"""Learned features in COLMAP's database: the same cameras, images and pairs as with SIFT, verified by COLMAP as with SIFT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
from numpy.typing import NDArray

from sfmcam.estimators.colmap.learned.tables import FeatureTable, FramePair


def import_images(database: Path, images: Path, *, camera_mode: Any, reader: Any) -> None:
    """Make `database` with the cameras and images that COLMAP's own extraction would make."""
    pycolmap.Database.open(database).close()
    pycolmap.import_images(database, images, camera_mode=camera_mode, options=reader)


def frame_pairs(database: Path, *, sequential: Any | None) -> list[FramePair]:
    """Return the pairs of frame numbers, first below second, that COLMAP would match; every pair without `sequential` options.

    Images are numbered in the order of their names, which is that of the frames.
    """
    with pycolmap.Database.open(database) as db:
        number_of = {image_id: number for number, image_id in enumerate(_image_ids(db))}
        generator: Any
        if sequential is None:
            generator = pycolmap.ExhaustivePairGenerator(pycolmap.ExhaustivePairingOptions(), db)
        else:
            generator = pycolmap.SequentialPairGenerator(sequential, db)
        pairs = {tuple(sorted((number_of[a], number_of[b]))) for a, b in generator.all_pairs()}
    return sorted((a, b) for a, b in pairs if a != b)


def write_features(database: Path, table: FeatureTable) -> None:
    """Write keypoints, descriptors where there are some, and matches of all frames."""
    with pycolmap.Database.open(database) as db:
        image_ids = _image_ids(db)
        for number, keypoints in enumerate(table.keypoints_px):
            db.write_keypoints(image_ids[number], np.ascontiguousarray(keypoints, np.float32))
            if table.descriptors is not None:
                db.write_descriptors(image_ids[number], _descriptors(table.descriptors[number]))
        for (first, second), matches in table.matches.items():
            if len(matches):
                db.write_matches(image_ids[first], image_ids[second], np.ascontiguousarray(matches, np.uint32))


def verify(database: Path, *, verification: Any, threads: int) -> None:
    """Let COLMAP fit a two-view geometry to the matches of every pair."""
    verifier = pycolmap.GeometricVerifierOptions()
    verifier.num_threads = threads
    pycolmap.geometric_verification(database, verifier_options=verifier, two_view_geometry_options=verification)


def _image_ids(db: Any) -> list[int]:
    """Image ids in the order of the frames."""
    return [image.image_id for image in sorted(db.read_all_images(), key=lambda image: image.name)]


def _descriptors(values: NDArray[np.float32]) -> Any:
    """Return the float32 values as the bytes that COLMAP keeps; it has no name for these descriptors, and never matches them itself."""
    as_bytes = np.ascontiguousarray(values, np.float32).view(np.uint8)
    return pycolmap.FeatureDescriptors(pycolmap.FeatureExtractorType.UNDEFINED, as_bytes)
