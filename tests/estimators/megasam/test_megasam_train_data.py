"""Claims: a pack gives back what was put in, or says in a sentence why not; a cut, mirrored or pasted batch keeps its geometry true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from megasam_sequences import make_sequences  # noqa: E402

from sfmcam.datasets.synthetic.camera_path import Ease, pan, truck  # noqa: E402
from sfmcam.datasets.synthetic.finish import Finish  # noqa: E402
from sfmcam.datasets.synthetic.rendered_set import ensure_set  # noqa: E402
from sfmcam.datasets.synthetic.spec import ClipSpec  # noqa: E402
from sfmcam.errors import InputError  # noqa: E402
from sfmcam.estimators.megasam.camera import reproject  # noqa: E402
from sfmcam.estimators.megasam.train.augment import Look  # noqa: E402
from sfmcam.estimators.megasam.train.dataset import Batch, Sampling, TrainingSet, edges  # noqa: E402
from sfmcam.estimators.megasam.train.pack import read_pack, write_pack  # noqa: E402
from sfmcam.estimators.megasam.train.prepare import PackPlan, prepare  # noqa: E402

CPU = torch.device("cpu")
PLAIN = Sampling(size_px=(96, 80), frames=4, scales=(1.0, 1.0), mirrored=0.0, reversed=0.0, pasted=0.0, look=Look.none())


def test_a_pack_gives_back_what_was_put_in(tmp_path: Path) -> None:
    made = make_sequences()
    size = write_pack(tmp_path / "x.pack", made)
    read = read_pack(tmp_path / "x.pack")
    assert size == (tmp_path / "x.pack").stat().st_size
    assert [(s.name, s.held_out) for s in read] == [(s.name, s.held_out) for s in made]
    for a, b in zip(read, made, strict=True):
        assert np.abs(a.pictures.astype(int) - b.pictures).mean() < 8  # WebP
        assert np.array_equal(a.poses, b.poses)
        assert np.array_equal(a.focals_px, b.focals_px)
        assert np.array_equal(a.mask, b.mask)
        assert np.allclose(a.disparity, b.disparity, rtol=3e-4)


def test_a_pack_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no pack"):
        read_pack(tmp_path / "none.pack")
    (tmp_path / "text.pack").write_text("no pack at all")
    with pytest.raises(InputError, match="is not a pack of training data"):
        read_pack(tmp_path / "text.pack")
    with pytest.raises(InputError, match="would hold no sequence"):
        write_pack(tmp_path / "empty.pack", [])
    write_pack(tmp_path / "x.pack", make_sequences(1))
    content = dict(np.load(tmp_path / "x.pack"))
    other = content | {"meta": np.frombuffer(content["meta"].tobytes().replace(b'"format": 2', b'"format": 9'), np.uint8)}
    with (tmp_path / "new.pack").open("wb") as file:
        np.savez(file, **other)
    with pytest.raises(InputError, match="version 9, and this program reads version 2"):
        read_pack(tmp_path / "new.pack")
    with (tmp_path / "cut.pack").open("wb") as file:
        np.savez(file, **content | {"picture": content["picture"][:100]})
    with pytest.raises(InputError, match="is damaged"):
        read_pack(tmp_path / "cut.pack")


@pytest.mark.parametrize(
    "sampling",
    [
        PLAIN,
        replace(PLAIN, scales=(0.8, 1.4)),
        replace(PLAIN, mirrored=1.0, scales=(1.2, 1.3)),
        replace(PLAIN, reversed=1.0, strides=(2,), frames=3),
        replace(PLAIN, frames=8, mirrored=0.5),  # longer than what is stored: back and forth
        replace(PLAIN, pasted=1.0),
    ],
    ids=["plain", "scaled", "mirrored", "reversed", "too long", "pasted"],
)
def test_the_truth_of_a_batch_carries_one_picture_onto_the_other(sampling: Sampling) -> None:
    """The picture is looked up where poses, disparity and focal length put each cell, and half a cell beside it for comparison."""
    batch = TrainingSet(make_sequences(3), device=CPU).batch(np.arange(3), sampling, np.random.default_rng(1))
    assert batch.images.shape[1:] == (3, 80, 96)
    assert batch.disps.flatten(1).median() == pytest.approx(1, rel=1e-5)
    assert _mismatch(batch, 0.0) < 6
    assert _mismatch(batch, 0.5) > 3 * _mismatch(batch, 0.0)


def _mismatch(batch: Batch, beside: float) -> float:
    seen = reproject(batch.poses, batch.disps, batch.intrinsics, ii=batch.ii, jj=batch.jj).coords
    at = 8 * (seen + torch.tensor([beside, 0.0]))
    height, width = batch.images.shape[-2:]
    grid = (2 * at + 1) / torch.tensor([width, height]) - 1
    found = torch.nn.functional.grid_sample(batch.images[batch.jj].float(), grid, align_corners=False)
    inside = (at > 0).all(-1) & (at < torch.tensor([width - 1, height - 1])).all(-1) & batch.static[batch.ii]
    shown = (found - batch.images[batch.ii][:, :, ::8, ::8].float()).abs().mean(1)[inside]
    return float(shown.median())


def test_a_mirror_twice_is_no_mirror_and_pasted_movers_are_marked() -> None:
    training = TrainingSet(make_sequences(3), device=CPU)
    plain = training.batch(np.arange(3), PLAIN, np.random.default_rng(0))
    mirrored = training.batch(np.arange(3), replace(PLAIN, mirrored=1.0), np.random.default_rng(0))
    assert torch.allclose(mirrored.poses[:, 0], -plain.poses[:, 0])
    assert torch.allclose(mirrored.poses[:, 1], plain.poses[:, 1])
    pasted = training.batch(np.arange(3), replace(PLAIN, pasted=1.0), np.random.default_rng(0))
    changed = (pasted.images != plain.images).any(1)[:, ::8, ::8]
    assert (changed & pasted.static).float().mean() < 0.05 < (changed & ~pasted.static).float().mean()


def test_the_edges_of_a_batch_stay_within_their_sequence() -> None:
    ii, jj = edges(3, 4, 2)
    assert len(ii) == 3 * 10
    assert bool((ii % 3 == jj % 3).all())
    assert sorted({(int(i) // 3, int(j) // 3) for i, j in zip(ii, jj, strict=True)}) == [
        (i, j) for i in range(4) for j in range(4) if 0 < abs(i - j) <= 2
    ]


def test_pictures_that_are_too_small_and_a_pack_without_sequences_are_told() -> None:
    with pytest.raises(InputError, match="too small for a training size"):
        TrainingSet(make_sequences(1), device=CPU).batch(np.arange(1), replace(PLAIN, size_px=(256, 192)), np.random.default_rng(0))
    with pytest.raises(InputError, match="no sequence of this kind"):
        TrainingSet([], device=CPU)


@pytest.mark.slow
def test_rendered_clips_are_packed_without_the_bent_ones(tmp_path: Path) -> None:
    small = {"size_px": (128, 96), "fps": 8.0, "seconds": 0.75, "noise": 0.5, "crf": 18}
    specs = (
        ClipSpec("straight", "gallery", 3, (truck(0.2, ease=Ease.LINEAR),), **small),
        ClipSpec("bent", "gallery", 4, (pan(10, ease=Ease.LINEAR),), **small, finish=Finish(distortion=-0.08)),
    )
    folder = ensure_set(tmp_path / "set", specs, with_depth=True, workers=1)
    count, _ = prepare(tmp_path / "x.pack", [folder], held_out=[], plan=PackPlan(size_px=(96, 72), frames=4))
    read = read_pack(tmp_path / "x.pack")
    assert count == 1
    assert [s.name for s in read] == ["straight"]
    assert read[0].pictures.shape[1:] == (72, 96, 3)
    batch = TrainingSet(read, device=CPU).batch(np.arange(1), replace(PLAIN, size_px=(96, 72)), np.random.default_rng(0))
    assert _mismatch(batch, 0.5) > 1.5 * _mismatch(batch, 0.0)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no rendered clip"):
        prepare(tmp_path / "x.pack", [tmp_path / "none"], held_out=[], plan=PackPlan())
    entry = next((folder / "clips").glob("straight.json"))
    (folder / "manifest.json").unlink()
    entry.write_text(entry.read_text().replace('"straight"', '"test_0001_truck"'))
    with pytest.raises(InputError, match="split test, which is kept to judge by"):
        prepare(tmp_path / "x.pack", [folder], held_out=[], plan=PackPlan())
