"""Weights files as they are published, with random numbers in them, and a loader's folder that holds them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="learned features need the extra `learned`")
feature = pytest.importorskip("kornia.feature", reason="learned features need the extra `learned`")


def published(name: str, seed: int = 0) -> dict:
    """A file's content: random weights of kornia's module under the names and keys of the published file."""
    torch.manual_seed(seed)
    if name == "disk":
        return {"extractor": feature.DISK().state_dict()}
    if name == "loftr-outdoor":
        return {"state_dict": {f"matcher.{key}": value for key, value in feature.LoFTR(None).state_dict().items()}}
    if name == "aliked":
        state = feature.ALIKED("aliked-n16").state_dict()
        del state["dkd.hw_grid"]
        return dict(state)
    state = feature.LightGlue(None, input_dim=128).state_dict()
    del state["confidence_thresholds"]
    return {re.sub(r"^transformers\.(\d)\.(self|cross)_attn", r"\2_attn.\1", key): value for key, value in state.items()}


def write_weights(folder: Path, *names: str) -> dict[str, Path]:
    """Write published files; return them by name."""
    paths = {name: folder / f"{name}.pth" for name in names}
    for name, path in paths.items():
        torch.save(published(name), path)
    return paths
