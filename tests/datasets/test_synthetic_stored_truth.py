"""What a rendered set stores agrees with its videos, and the check that says so sees a wrong pixel centre, focal length, depth or pose."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from benchmark_scripts import script

from sfmcam.datasets.synthetic.camera_path import Ease, dolly, pan, roll, truck, zoom
from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.finish import Finish, Lettering
from sfmcam.datasets.synthetic.random_specs import random_specs
from sfmcam.datasets.synthetic.rendered_set import clip_digest, ensure_set
from sfmcam.datasets.synthetic.reprojection import carried, poses_between
from sfmcam.datasets.synthetic.scenes.movers import MoverKind, MoverSpec
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import build_stage
from sfmcam.datasets.synthetic.stored_truth import StoredTruth, read_manifest, read_truth, set_seed
from sfmcam.errors import InputError, TrajectoryFileError
from sfmcam.types import UInt8

LIMIT_PX = 0.3
SMALL = {"size_px": (256, 144), "fps": 8.0, "seconds": 0.75, "noise": 0.5, "crf": 18}
EVEN = Ease.LINEAR
SPECS = (
    ClipSpec("turns", "gallery", 3, (roll(12, ease=EVEN), zoom(1.25, ease=EVEN)), **SMALL),
    ClipSpec("moves", "room", 5, (truck(0.15, ease=EVEN), dolly(0.1, ease=EVEN)), **SMALL, finish=Finish(distortion=-0.08)),
    ClipSpec(
        "pans",
        "gallery",
        4,
        (pan(14, ease=EVEN),),
        movers=(MoverSpec(MoverKind.WALKER, (0.3, -1.0), (-0.8, 0.0)),),
        **SMALL,
        finish=Finish(readout=0.8, bars=0.15, lettering=Lettering.CAPTION),
    ),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_set(tmp_path_factory.mktemp("truth") / "set", SPECS, with_depth=True, workers=1)


@pytest.fixture(scope="module")
def truths(made: Path) -> dict[str, StoredTruth]:
    return {name: read_truth(made, entry) for name, entry in read_manifest(made).items()}


@pytest.fixture(scope="module")
def pictures(made: Path, truths: dict[str, StoredTruth]) -> dict[str, dict[int, UInt8]]:
    return {n: script("clip_agreement").read_pictures(made / "videos" / f"{n}.mp4", set(range(len(t)))) for n, t in truths.items()}


def measured(truth: StoredTruth, pictures: dict[int, UInt8]):
    return script("clip_agreement").agreement(truth, pictures, noise=0.5)


@pytest.mark.parametrize("name", [spec.id for spec in SPECS])
def test_videos_agree_with_the_stored_truth(name: str, truths, pictures) -> None:
    clip = measured(truths[name], pictures[name])
    assert len(clip.tracker_px) > 100
    assert len(clip.photometric_px) > 40
    assert np.median(clip.shift_px) > 1.5  # there is motion to be wrong about
    assert clip.tracker_median_px < 0.15
    assert clip.photometric_median_px < 0.15
    assert clip.followed > 0.75
    assert clip.hidden < 0.1


def with_focal(truth: StoredTruth, factor: float) -> StoredTruth:
    return replace(truth, trajectory=replace(truth.trajectory, focal_px=truth.trajectory.focal_px * factor))


def unsteady(truth: StoredTruth) -> StoredTruth:
    poses = truth.trajectory.cam_from_world.copy()
    poses[1::2, 0, 3] += 0.004 * np.nanmedian(truth.depth_m)
    return replace(truth, trajectory=replace(truth.trajectory, cam_from_world=poses))


FAULTS: dict[str, tuple[str, Callable[[StoredTruth], StoredTruth]]] = {
    "focal length of a pan": ("pans", lambda truth: with_focal(truth, 1.15)),
    "depth of a truck": ("moves", lambda truth: replace(truth, depth_m=truth.depth_m * 1.15)),
    "pose of every other frame": ("moves", unsteady),
    "lens left out": ("moves", lambda truth: replace(truth, finish=replace(truth.finish, distortion=0.1))),
    "zoom that is not stored": ("turns", lambda t: replace(t, trajectory=replace(t.trajectory, focal_px=np.full(len(t), 200.0)))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_truth_is_seen_by_both_looks(fault: str, truths, pictures) -> None:
    name, spoil = FAULTS[fault]
    clip = measured(spoil(truths[name]), pictures[name])
    assert clip.tracker_median_px > LIMIT_PX
    assert clip.photometric_median_px > LIMIT_PX


def moved(picture: UInt8, by_px: float) -> UInt8:
    shift = np.array([[1, 0, by_px], [0, 1, by_px]])
    return np.asarray(cv2.warpAffine(picture, shift, picture.shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def test_half_a_pixel_between_two_frames_is_seen(truths, pictures) -> None:
    targets = {target for _, target in script("clip_agreement").frame_pairs(truths["moves"])}
    clip = measured(truths["moves"], {i: moved(p, 0.5) if i in targets else p for i, p in pictures["moves"].items()})
    assert clip.tracker_median_px > 0.4
    assert clip.photometric_median_px > 0.4


def test_half_a_pixel_in_all_frames_is_seen_where_the_picture_turns(truths, pictures) -> None:
    """Pixel centres counted from 0 instead of 0.5 shift every picture alike; roll and zoom about the wrong point then give it away."""
    explain = script("systematic").explain
    right = explain([measured(truths["turns"], pictures["turns"])] * 2)
    wrong = explain([measured(truths["turns"], {i: moved(p, 0.5) for i, p in pictures["turns"].items()})] * 2)
    for name in ("principal_x_px", "principal_y_px"):
        assert right[name][0] == pytest.approx(0, abs=0.15)
        assert wrong[name][0] == pytest.approx(0.5, abs=0.15)


def test_a_wrong_focal_length_and_depth_are_named(truths, pictures) -> None:
    clips = [measured(with_focal(replace(truths[n], depth_m=truths[n].depth_m * 0.96), 1.03), pictures[n]) for n in truths]
    found = script("systematic").explain(clips)
    assert found["focal_percent"][0] == pytest.approx(-3, abs=0.8)
    assert found["depth_percent"][0] == pytest.approx(4, abs=1.5)


def test_points_carried_forth_and_back_are_where_they_were(truths) -> None:
    for truth in truths.values():
        start, depth = truth.cell_centers_px.reshape(-1, 2)[::5], truth.depth_m[1].ravel()[::5]
        there, depth_there = carried(truth, start, depth, source=1, target=3)
        again, depth_again = carried(truth, there, depth_there, source=3, target=1)
        known = np.isfinite(depth) & np.isfinite(again[:, 0])
        assert known.mean() > 0.5
        assert again[known] == pytest.approx(start[known], abs=0.02)  # a lens is inverted by iteration
        assert depth_again[known] == pytest.approx(depth[known], rel=1e-3)


def test_poses_between_frames_are_those_of_the_path(truths) -> None:
    spec = next(spec for spec in SPECS if spec.id == "pans")
    path, frames = build_stage(spec).path, np.array([0.5, 1.25, 3.9])
    assert poses_between(truths["pans"].trajectory)(frames) == pytest.approx(path.cam_from_world(frames / spec.fps), abs=2e-3)


def test_bars_and_letters_are_known_to_be_no_scene(truths) -> None:
    overlaid = truths["pans"].overlaid
    assert overlaid[0].all()
    assert overlaid[-1].all()
    assert not overlaid[60:70].any()
    assert 0.16 < overlaid.mean() < 0.3
    assert not truths["turns"].overlaid.any()


def test_a_random_clip_is_found_again_by_its_name() -> None:
    spec = random_specs(Split.VAL, 7, 3)[2]
    entry = {"id": spec.id, "digest": clip_digest(spec)}
    recipe_of = script("clip_agreement").recipe_of
    assert recipe_of(entry, 7).recipe() == spec.recipe()
    for other, seed in ((entry, 8), (entry | {"digest": "0"}, 7), ({"id": "pan_slow", "digest": ""}, 0)):
        with pytest.raises(InputError, match="name the set's seed with --seed"):
            recipe_of(other, seed)


def test_a_random_set_says_its_seed(made: Path, tmp_path: Path) -> None:
    (tmp_path / "generator.json").write_text('{"drawn_from": {"split": "val", "seed": 7}}')
    assert set_seed(tmp_path) == 7
    assert set_seed(made) is None
    assert set_seed(tmp_path / "none") is None


def test_a_set_that_cannot_be_read_is_one_sentence(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no rendered clip"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('["not a clip"]')
    with pytest.raises(InputError, match="has a manifest that cannot be read"):
        read_manifest(tmp_path)
    entry = read_manifest(made)["pans"]
    with pytest.raises(TrajectoryFileError, match="there is no file"):
        read_truth(tmp_path, entry)
    with pytest.raises(InputError, match="poses, 6 depths and 6 masks for 7 frames"):
        read_truth(made, entry | {"n_frames": 7})


def test_a_set_without_depth_is_one_sentence(made: Path, tmp_path: Path) -> None:
    for name in ("poses", "intrinsics"):
        (tmp_path / name).symlink_to(made / name)
    (tmp_path / "depth").mkdir()
    entry = read_manifest(made)["pans"]
    with pytest.raises(InputError, match="only random sets have depth"):
        read_truth(tmp_path, entry)
    (tmp_path / "depth" / "pans.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(TrajectoryFileError, match="is not an npz file; delete it and render the set again"):
        read_truth(tmp_path, entry)


def test_the_command_says_what_it_measured(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["truth.py", str(made), "tiny", "--limit", "2", "--results", str(tmp_path)])
    script("truth").main()
    kept = json.loads((tmp_path / "tiny.json").read_text())
    assert kept["groups"]["all"]["measured"] == kept["set"]["clips"] == 2
    assert kept["groups"]["distorted"]["clips"] == 1
    assert kept["drawn_again"] == kept["still_above"] == kept["never_measured"] == []
    assert "still above: none" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["truth.py", str(tmp_path / "none"), "tiny"])
    with pytest.raises(SystemExit, match=r"^Error: .*holds no rendered clip"):
        script("truth").main()
