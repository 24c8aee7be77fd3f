"""`features = "disk" | "aliked" | "loftr"`: learned features of a clip into a COLMAP database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from kornia.feature import LoFTR

from sfmcam.config import RunConfig
from sfmcam.errors import ConfigError
from sfmcam.estimators.colmap.learned.database import frame_pairs, import_images, verify, write_features
from sfmcam.estimators.colmap.learned.loading import load_network
from sfmcam.estimators.colmap.learned.method import SemiDenseMethod, SparseMethod, semi_dense_table, sparse_table
from sfmcam.estimators.colmap.learned.needs import weights_of
from sfmcam.estimators.colmap.learned.networks import Loftr, WithLightGlue, aliked_detector, disk_detector
from sfmcam.estimators.colmap.learned.tables import FeatureTable, FramePair
from sfmcam.estimators.colmap.options import ColmapOptions
from sfmcam.types import Frames

MAX_KEYPOINTS = {"disk": 1024, "aliked": 1024, "loftr": 4096}  # LightGlue's time grows with the square


def extract_and_match_learned(
    database: Path, frames: Frames, options: ColmapOptions, *, run: RunConfig, imported: dict[str, Any], verification: Any, sequential: Any
) -> None:
    """Fill `database` as `features.extract_and_match` does with SIFT.

    Args:
        database: file to make.
        frames: the clip.
        options: of the estimator.
        run: threads and seed.
        imported: arguments of `import_images`.
        verification: COLMAP's options of the two-view geometry.
        sequential: COLMAP's options of sequential pairing, or None to match every pair.

    Raises:
        InputError: weights are missing or wrong.
        ConfigError: a GPU is asked for and none is there.
        MemoryError: the networks do not fit.
    """
    import_images(database, **imported)
    table = feature_table(frames, frame_pairs(database, sequential=sequential), options=options, threads=run.threads)
    write_features(database, table)
    verify(database, verification=verification, threads=run.threads)


def feature_table(frames: Frames, pairs: list[FramePair], *, options: ColmapOptions, threads: int) -> FeatureTable:
    """Find and match the learned features of a clip; see `extract_and_match_learned`."""
    device = _device(options)
    limit = options.max_num_learned_features or MAX_KEYPOINTS[options.features]
    workers = threads if device.type == "cpu" else 1
    with _one_thread_per_operation(), _memory_errors():
        if options.features == "loftr":
            dense = make_semi_dense(device)
            return semi_dense_table(dense, list(frames.images), pairs, threads=workers, max_per_frame=limit)
        sparse = make_sparse(options.features, max_keypoints=limit, device=device)
        return sparse_table(sparse, list(frames.images), pairs, threads=workers)


def make_sparse(features: str, *, max_keypoints: int, device: torch.device) -> SparseMethod:
    """Return DISK or ALIKED with LightGlue, with their weights."""
    paths = weights_of(features)
    matcher = load_network(f"lightglue-{features}", paths[f"lightglue-{features}"])
    if features == "disk":
        detector = disk_detector(load_network("disk", paths["disk"]), max_keypoints=max_keypoints, device=device)
    else:
        detector = aliked_detector(load_network("aliked", paths["aliked"], max_num_keypoints=max_keypoints), device=device)
    return WithLightGlue(detector, matcher, device=device)


def make_semi_dense(device: torch.device) -> SemiDenseMethod[Any]:
    """Return LoFTR with its weights."""
    network = load_network("loftr-outdoor", weights_of("loftr")["loftr-outdoor"])
    assert isinstance(network, LoFTR)
    return Loftr(network, device=device)


def _device(options: ColmapOptions) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if options.features_device == "cuda" and not has_gpu:
        raise ConfigError("features_device is 'cuda', and PyTorch sees no CUDA device here; take 'auto' or 'cpu'")
    return torch.device("cuda" if has_gpu and options.features_device != "cpu" else "cpu")


@contextmanager
def _one_thread_per_operation() -> Iterator[None]:
    """Spend threads on frames and pairs, never inside an operation: sums split otherwise would change results with --threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Tell a refused allocation, which PyTorch reports as a RuntimeError on the CPU, from other errors."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            "the GPU's memory does not hold the learned features; try a smaller --long-side or features_device = 'cpu'"
        ) from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        raise MemoryError("the learned features do not fit into memory; try a smaller --long-side or --max-frames") from error
