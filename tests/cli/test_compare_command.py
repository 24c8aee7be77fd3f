"""`sfmcam compare`: a table for people, an object with the metrics' names for programs, one sentence for a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from shared_data import SHARED, needs_shared
from trajectory_samples import smooth_poses, trajectory_of

from sfmcam.cli.compare import ALIGN_CHOICES, PAIR_CHOICES, compare
from sfmcam.cli.main import run
from sfmcam.evaluation.compare_batch import ClipStatus
from sfmcam.evaluation.evo_bridge import Alignment
from sfmcam.evaluation.frame_pairs import Pairing
from sfmcam.io.trajectory_file import write_tum

DOCUMENT = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
TRUTH = trajectory_of(smooth_poses(8))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, seed in (("est", 3), ("ref", 0)):
        Path(name).mkdir()
        write_tum(Path(name) / "clip.tum", trajectory_of(smooth_poses(8, seed=seed)))
        write_tum(Path(f"{name}.tum"), trajectory_of(smooth_poses(8, seed=seed)))
    write_tum(Path("ref") / "other.tum", TRUTH)
    Path("bad.tum").write_text("0 0 0 0 0 0 0 1\n0 0 0 0 0 0 0 1\n", encoding="utf-8")
    return tmp_path


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(compare, list(arguments), standalone_mode=False)
    assert result.exception is None, result.output
    return result.output


def test_the_choices_are_those_that_exist() -> None:
    assert tuple(Alignment) == ALIGN_CHOICES
    assert tuple(Pairing) == PAIR_CHOICES


def test_the_table(folder: Path) -> None:
    printed = invoke("est.tum", "ref.tum")
    assert "frames     8 of the reference's 8 compared (100 %), paired by time, 0 s apart at most (0.05 s allowed)" in printed
    assert "aligned by sim3 (turned, moved and scaled); scale factor" in printed
    lines = {line.split("  ")[0].strip(): line for line in printed.splitlines()}
    for name in ("RotErr", "TransErr", "CamMC", "APE (ATE)", "RPE translation", "RRE, all pairs", "AUC of max(RRE, RTE)", "direction"):
        assert name in lines, printed
    assert "undefined: focal, fov: no focal length to compare" in printed
    assert "paired by their number" in invoke("est.tum", "ref.tum", "--pair", "index", "--align", "none")


def test_the_object_has_the_metrics_names_and_is_documented_key_by_key(folder: Path) -> None:
    document = json.loads(invoke("est.tum", "ref.tum", "--json", "--align", "se3"))
    assert {"RotErr", "TransErr", "CamMC", "APE_rmse", "RPE_trans_rmse", "AUC_5", "AUC_10", "AUC_20"} <= document.keys()
    assert (document["align"], document["pair"], document["num_frames"], document["coverage"]) == ("se3", "time", 8, 1.0)
    assert document["compared"]["RotErr"] == {"frames": 8}
    assert document["compared"]["AUC"] == {"pairs": 28}
    assert (document["focal_median_percent"], document["reasons"]["focal"]) == (None, "no focal length to compare")
    batch = json.loads(invoke("est", "ref", "--batch", "--json"))
    assert (batch["num_clips"], batch["success_rate"], batch["mean"]["RotErr"]) == (2, 0.5, document["RotErr"])
    assert [clip["status"] for clip in batch["clips"]] == ["answered", "missing"]
    for key in {*document, *batch, *batch["clips"][0], *ClipStatus}:
        assert f"`{key}`" in DOCUMENT, key


def test_folders(folder: Path) -> None:
    printed = invoke("est", "ref", "--batch", "--plot", "-o", "pictures")
    assert "success    50.0 %: 1 of 2 clips answered" in printed
    assert "other: missing: est has no trajectory of this name" in printed
    assert [path.name for path in Path("pictures").iterdir()] == ["clip_compare.png"]


def test_a_picture_is_drawn_when_asked(folder: Path) -> None:
    assert "picture: out/est_compare.png" in invoke("est.tum", "ref.tum", "--plot")
    assert Path("out/est_compare.png").is_file()
    assert json.loads(invoke("est.tum", "ref.tum", "--json", "--plot", "-o", "x"))["picture"] == "x/est_compare.png"
    assert json.loads(invoke("est.tum", "ref.tum", "--json"))["picture"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none.tum", "ref.tum"], 1, "There is no file none.tum"),
        (["bad.tum", "ref.tum"], 1, "bad.tum, line 2: time 0.0 repeats the time of the pose before it"),
        (["est.tum", "ref.tum", "--time-offset", "100"], 1, "--pair index"),
        (["est", "ref"], 1, "--batch"),
        (["est.tum", "ref.tum", "--batch"], 1, "--batch compares folders"),
        (["est.tum", "ref.tum", "--plot", "-o", "est.tum/x"], 1, "Cannot make the folder"),
        (["est.tum"], 2, "REF"),
        (["est.tum", "ref.tum", "--align", "sim"], 2, "'sim'"),
        (["est.tum", "ref.tum", "--fps", "10"], 2, "A frame rate has no meaning for the format tum"),
        (["est.tum", "ref.tum", "--size", "big"], 2, "WIDTHxHEIGHT"),
        (["est.tum", "ref.tum", "--max-diff", "nan"], 2, "--max-diff must be a finite number"),
        (["est.tum", "ref.tum", "--pair", "index", "--max-diff", "1"], 2, "--pair time"),
        (["est.tum", "ref.tum", "--ref-format", "kitti"], 1, "8 numbers instead of 12"),
    ],
)
def test_a_mistake_is_one_sentence(folder: Path, arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert printed.err.strip().count("\n") == 0


def test_nothing_answered_is_exit_code_1_with_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert run(["compare", "--batch", "empty", "ref"]) == 1
    assert "0 of 2 clips answered" in capsys.readouterr().out


@needs_shared("trajectories")
def test_every_published_path_compares_with_every_other(tmp_path: Path) -> None:
    assert SHARED is not None
    paths = sorted((SHARED / "trajectories").glob("motionctrl_*.tum"))
    for estimate, reference in zip(paths, [*paths[1:], paths[0]], strict=True):
        document = json.loads(invoke(str(estimate), str(reference), "--json", "--pair", "index"))
        assert document["num_frames"] == 16
        assert document["RotErr"] >= 0
        assert (document["TransErr"] is None) is ("TransErr" in document["reasons"])
