"""`sfmcam bench`: no clip is ever missing from the score files, whatever became of it; and every bad set is one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import fake_cli
import pytest
from label_folder import label_line, make_label_folder
from small_video import write_video

from sfmcam.batch.runner import sole_writer
from sfmcam.cli.main import run
from sfmcam.datasets.folder import load_folder
from sfmcam.errors import InputError
from sfmcam.evaluation import bench_report
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.workspace import BenchFolder

CLIPS = ("abort", "fail", "ok1", "ok2", "raise")
STATUS = {"abort": "crashed", "fail": "too_few_matches", "ok1": None, "ok2": None, "raise": "internal_error"}


@pytest.fixture(autouse=True)
def _in_a_folder_with_the_fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_cli.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def make_set(root: Path, clips: tuple[str, ...] = CLIPS) -> None:
    """Write a labelled set in which every task asks about every clip, and the one about panning right is true of the good ones."""
    truth = {p.split_name: {f"{c}.mp4": c.startswith("ok") == (p.id == "pan_right") for c in clips} for p in PRIMITIVES}
    make_label_folder(root, truth, videos=())
    for clip in clips:
        write_video(root / "videos" / f"{clip}.mp4", num_frames=4)


def call(*arguments: str) -> int:
    return run(["bench", *arguments])


def rows(folder: str, split: str = "Pan_Right") -> list[dict[str, object]]:
    document = json.loads(Path(folder, f"classification_scores_{split}.json").read_text())
    return document["scores"]


def test_every_clip_is_in_every_score_file(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"))
    assert call("set", "-e", "fake,fake:wide", "-o", "run", "--jobs", "2") == 0
    for folder in ("run/fake/scores", "run/fake/scores_camerabench", "run/fake-wide/scores"):
        for primitive in PRIMITIVES:
            assert {row["sample_id"]: row["error"] for row in rows(folder, primitive.split_name)} == STATUS
    assert {p.name for p in Path("run/fake/clips/ok1").iterdir()} >= {"trajectory.tum", "trajectory.npz", "motion.json", "scores.json"}
    captured = capsys.readouterr()
    for expected in ("AP_all x 100 on set", "fake-wide", "Clips by status", "Cost per clip", "Written: run/results.md"):
        assert expected in captured.out
    assert "[10/10]" in captured.err
    assert "Traceback" not in captured.err
    assert "Clips by status" in Path("run/results.md").read_text()


def test_results_name_versions_configuration_seed_and_command() -> None:
    make_set(Path("set"), ("ok1", "fail"))
    assert call("set", "-e", "fake", "-o", "run", "--seed", "3") == 0
    results = json.loads(Path("run/results.json").read_text())
    (method,) = results["methods"]
    assert results["versions"].keys() >= {"python", "numpy", "pycolmap"}
    assert None not in results["versions"].values()
    assert results["command"] == "sfmcam bench set -e fake -o run --seed 3"
    assert method["configuration"]["seed"] == 3
    assert method["configuration"]["options"] == {"pan_deg": 2.0}
    assert method["clips"]["ok1"]["scores"]["depth"].keys() == {p.id for p in PRIMITIVES}
    assert method["clips"]["fail"]["status"] == "too_few_matches"
    assert results["leaderboards"].keys() == {"depth", "probability", "camerabench"}


def test_the_number_of_jobs_changes_nothing() -> None:
    make_set(Path("set"))
    for jobs in ("1", "2"):
        assert call("set", "-e", "fake", "-o", f"run{jobs}", "--jobs", jobs) == 0
    for primitive in PRIMITIVES:
        assert rows("run1/fake/scores", primitive.split_name) == rows("run2/fake/scores", primitive.split_name)


def test_what_is_kept_is_not_done_again_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"), ("ok1", "fail", "abort"))
    kept = {}
    for extra, redone in (([], 3), ([], 0), (["--retry-failed"], 1), (["--overwrite"], 3)):
        assert call("set", "-e", "fake", "-o", "run", *extra) == 0
        assert f"3 runs, {3 - redone} of them kept" in capsys.readouterr().err
        kept[tuple(extra)] = rows("run/fake/scores")
    assert kept[()] == kept["--retry-failed",] == kept["--overwrite",]


def test_another_configuration_is_refused_until_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"), ("ok1", "fail"))
    assert call("set", "-e", "fake", "-o", "run") == 0
    assert call("set", "-e", "fake", "-o", "run", "--fps", "3") == 1
    assert "(fps 6.0, not 3.0)" in capsys.readouterr().err
    assert call("set", "-e", "fake", "-o", "run", "--fps", "3", "--overwrite") == 0


def test_a_changed_video_is_refused_until_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"), ("ok1", "fail"))
    assert call("set", "-e", "fake", "-o", "run") == 0
    write_video(Path("set/videos/ok1.mp4"), num_frames=5)
    assert call("set", "-e", "fake", "-o", "run") == 1
    assert "ok1.mp4 has changed since" in capsys.readouterr().err
    assert call("set", "-e", "fake", "-o", "run", "--overwrite") == 0


def test_limit_takes_the_same_clips_every_time_and_is_extended_without_loss(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"))
    chosen = []
    for out in ("run1", "run2"):
        assert call("set", "-e", "fake", "-o", out, "--limit", "2") == 0
        chosen.append({row["sample_id"] for row in rows(f"{out}/fake/scores")})
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 2
    capsys.readouterr()
    assert call("set", "-e", "fake", "-o", "run1") == 0
    assert "5 runs, 2 of them kept" in capsys.readouterr().err


def test_missing_videos_are_accepted_when_asked_and_keep_their_rows() -> None:
    make_set(Path("set"))
    Path("set/videos/ok2.mp4").unlink()
    assert call("set", "-e", "fake", "-o", "run", "--allow-missing") == 0
    assert {row["sample_id"]: row["error"] for row in rows("run/fake/scores")} == {**STATUS, "ok2": "missing_video"}


def test_two_runs_do_not_write_into_one_folder(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"), ("ok1", "fail"))
    with sole_writer(BenchFolder(Path("run"))):
        assert call("set", "-e", "fake", "-o", "run") == 1
    assert "Another run is writing into run" in capsys.readouterr().err


def test_the_report_is_written_before_another_run_may_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    write_report, refused = bench_report.write_report, []

    def write_and_try_to_run(report: bench_report.BenchReport) -> None:
        with pytest.raises(InputError, match="another run is writing"), sole_writer(report.plan.folder):
            pass
        refused.append(True)
        write_report(report)

    monkeypatch.setattr(bench_report, "write_report", write_and_try_to_run)
    make_set(Path("set"), ("ok1", "fail"))
    assert call("set", "-e", "fake", "-o", "run") == 0
    assert refused == [True]


def test_an_estimator_that_never_had_its_say_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"), ("abort", "exit", "raise"))
    assert call("set", "-e", "fake", "-o", "run") == 1
    captured = capsys.readouterr()
    assert "Clips by status" in captured.out
    (complaint,) = [line for line in captured.err.splitlines() if line.startswith("Error: ")]
    assert complaint.startswith("Error: Not a single run of fake came to an end of its own (2 crashed, 1 internal_error)")
    assert "--retry-failed" in complaint
    assert Path("run/results.json").is_file()


def test_an_estimator_that_says_no_to_every_clip_is_no_error() -> None:
    make_set(Path("set"), ("fail1", "fail2"))
    assert call("set", "-e", "fake", "-o", "run") == 0


def test_another_set_in_the_same_folder_is_refused_until_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    make_set(Path("set"), ("ok1", "fail"))
    make_set(Path("other"), ("ok1", "ok2", "fail"))
    assert call("set", "-e", "fake", "-o", "run", "--limit", "1") == 0
    assert call("set", "-e", "fake", "-o", "run") == 0
    capsys.readouterr()
    assert call("other", "-e", "fake", "-o", "run") == 1
    assert "holds results of fake on the data set set; choose another --out" in capsys.readouterr().err
    assert call("set", "-e", "fake", "-o", "run", "--limit", "1") == 0
    assert call("other", "-e", "fake", "-o", "run", "--overwrite") == 0
    assert call("set", "-e", "fake", "-o", "run") == 1


def test_a_smaller_run_leaves_no_score_file_of_a_larger_one() -> None:
    truth = {"Static": {"fail1.mp4": True, "fail2.mp4": False}, "Pan_Right": {"ok1.mp4": True, "ok2.mp4": False}}
    make_label_folder(Path("set"), truth, videos=())
    for clip in ("fail1", "fail2", "ok1", "ok2"):
        write_video(Path("set/videos", f"{clip}.mp4"), num_frames=4)
    assert call("set", "-e", "fake", "-o", "run") == 0
    assert len(list(Path("run/fake/scores").iterdir())) == 2
    assert call("set", "-e", "fake", "-o", "run", "--limit", "1") == 0
    assert len(list(Path("run/fake/scores").iterdir())) == 1


def test_ray_that_is_not_installed_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    make_set(Path("set"), ("ok1", "fail"))
    assert call("set", "-e", "fake", "-o", "run", "--executor", "ray") == 1
    assert "pip install 'sfmcam[cluster]'" in capsys.readouterr().err


def test_without_a_name_it_runs_on_camerabench_where_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFMCAM_DATA", "data")
    make_set(Path("data/camerabench"), ("ok1", "fail"))
    assert call("-e", "fake", "-o", "run") == 0
    assert json.loads(Path("run/results.json").read_text())["dataset"]["name"] == "camerabench"


def test_without_a_name_and_camerabench_it_runs_on_the_synthetic_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SFMCAM_DATA", "data")
    monkeypatch.setattr("sfmcam.datasets.registry.load_synthetic", lambda *, allow_missing: load_folder(Path("set"), name="synthetic"))
    monkeypatch.setattr("sfmcam.cli.bench._render_synthetic", lambda: None)
    make_set(Path("set"), ("ok1", "fail"))
    assert call("-e", "fake", "-o", "run") == 0
    assert "running on synthetic" in capsys.readouterr().err


def missing_video() -> None:
    Path("set/videos/ok1.mp4").unlink()


def malformed_line() -> None:
    with Path("set/binary_classification/Pan_Left.jsonl").open("a") as stream:
        stream.write('{"image": "ok1.mp4", \n')


def duplicate_name() -> None:
    with Path("set/binary_classification/Pan_Left.jsonl").open("a") as stream:
        stream.write(label_line("ok1.mp4", split="Pan_Left") + "\n")


def two_files_of_one_name() -> None:
    write_video(Path("set/videos/ok1.mov"))
    with Path("set/binary_classification/Pan_Left.jsonl").open("a") as stream:
        stream.write(label_line("ok1.mov", split="Pan_Left") + "\n")


def file_in_place_of_the_folder() -> None:
    Path("run").touch()


def broken_store() -> None:
    Path("run").mkdir()
    Path("run/runs.sqlite").write_text("no database\n" * 100)


@pytest.mark.parametrize(
    ("spoil", "arguments", "code", "sentence"),
    [
        (missing_video, [], 1, "ok1.mp4"),
        (malformed_line, [], 1, "Pan_Left.jsonl, line 3"),
        (duplicate_name, [], 1, "Pan_Left.jsonl, line 3"),
        (two_files_of_one_name, [], 1, "ok1"),
        (file_in_place_of_the_folder, [], 1, "Cannot make the folder run"),
        (broken_store, [], 1, "cannot be used as run store"),
        (None, ["-e", "fak"], 2, "Did you mean 'fake'?"),
        (None, ["-e", "fake,fake"], 2, "named twice"),
        (None, ["-e", "fake,"], 2, "There is no estimator ''"),
        (None, ["--limit", "0"], 2, "--limit"),
        (None, ["--jobs", "0"], 2, "--jobs"),
        (None, ["--fps", "-2"], 2, "fps"),
    ],
)
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], spoil: Callable[[], None] | None, arguments: list[str], code: int, sentence: str
) -> None:
    make_set(Path("set"), ("ok1", "fail"))
    if spoil is not None:
        spoil()
    assert call("set", "-o", "run", *([] if "-e" in arguments else ["-e", "fake"]), *arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(("dataset", "sentence"), [("nowhere", "nowhere"), ("synthetics", "did you mean 'synthetic'?")])
def test_an_unknown_set_is_one_sentence(capsys: pytest.CaptureFixture[str], dataset: str, sentence: str) -> None:
    assert call(dataset, "-e", "fake", "-o", "run") == 1
    assert sentence in capsys.readouterr().err
