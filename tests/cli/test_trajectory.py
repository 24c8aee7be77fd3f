"""`sfmcam trajectory`: its files, summary and JSON; and every bad video is one sentence and exit code 1, without a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fake_cli
import pytest
from small_video import write_audio, write_video

from sfmcam.cli.main import run
from sfmcam.errors import SfmcamError
from sfmcam.io.track_file import read_tracks
from sfmcam.jobs import Method
from sfmcam.motion.primitive import PRIMITIVE_BY_ID

FILES = ["motion.json", "run.log", "scores.json", "trajectory.npz", "trajectory.tum"]


@pytest.fixture(autouse=True)
def _in_a_folder_with_the_fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_cli.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> int:
    return run(["trajectory", "-e", "fake", "--no-plot", *arguments])


def test_one_video_gives_files_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("walk.mp4"))
    assert call("walk.mp4") == 0
    assert sorted(p.name for p in Path("out/walk").iterdir()) == FILES
    printed = capsys.readouterr().out
    for expected in ("walk  ok", "The camera pans right", "8 frames used, 8 with a pose", "parallax 1.5 px", "pan_right", "out/walk/"):
        assert expected in printed
    motion, scores = (json.loads(Path(f"out/walk/{name}.json").read_text()) for name in ("motion", "scores"))
    assert motion["status"] == "ok"
    assert scores["depth"].keys() == scores["camerabench"].keys() == PRIMITIVE_BY_ID.keys()


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("walk.mp4"))
    write_video(Path("fail.mp4"))
    assert call("walk.mp4", "fail.mp4", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    walk, fail = document["clips"]
    assert (walk["status"], fail["status"]) == ("ok", "too_few_matches")
    assert walk["scores"]["pan_right"] > 0.1 > walk["scores"]["pan_left"]
    assert fail["scores"] is None


def test_json_of_a_failure_leaves_the_sentence_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.mp4").touch()
    assert call("empty.mp4", "--json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["clips"][0]["status"] == "unreadable_video"
    assert captured.err.splitlines()[-1] == "Error: empty.mp4 is empty (0 bytes)"


def test_a_failed_estimate_is_a_sentence_and_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("fail.mp4"))
    assert call("fail.mp4") == 1
    captured = capsys.readouterr()
    assert re.search(r"^Error: fail: The frames could not be matched .*\) \(3 of 10 pairs matched\)$", captured.err, re.MULTILINE)
    assert captured.out.startswith("fail  too_few_matches\n")
    assert "log: out/fail/run.log" in captured.out


def test_a_video_beside_one_that_cannot_be_read_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.mp4").touch()
    write_video(Path("walk.mp4"))
    assert call("empty.mp4", "walk.mp4") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("walk  ok\n")
    assert "Error: empty.mp4 is empty (0 bytes)\n" in captured.err


def test_results_are_never_written_among_the_images_of_the_video(capsys: pytest.CaptureFixture[str]) -> None:
    Path("frames").mkdir()
    Path("frames/trajectory.png").write_bytes(b"an image of mine")
    for arguments in (["frames", "-o", "."], ["./frames/", "-o", "frames/.."]):
        assert call(*arguments) == 1
        assert re.fullmatch(
            r"Error: The results of frames would be written among its images; choose another folder with --out\n", capsys.readouterr().err
        )
    assert [p.name for p in Path("frames").iterdir()] == ["trajectory.png"]


@pytest.mark.parametrize(("given", "threads"), [([], min(os.cpu_count() or 1, 8)), (["--threads", "3"], 3)])
def test_threads(given: list[str], threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = []

    def stop(video: Path, method: Method, **_: object) -> None:
        planned.append(method.run.threads)
        raise SfmcamError("enough")

    monkeypatch.setattr("sfmcam.cli.trajectory._run", stop)
    write_video(Path("walk.mp4"))
    assert call("walk.mp4", *given) == 1
    assert planned == [threads]


def test_shots_lie_in_folders_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("two.mp4"), num_frames=36, cut_at=12)
    assert call("two.mp4") == 0
    assert sorted(p.name for p in Path("out/two").iterdir()) == ["run.log", "shot_01", "shot_02"]
    assert re.search(r"shot 2, 2\.00 to [56]\.\d\d s  \(speaks for the clip\)", capsys.readouterr().out)
    assert call("two.mp4", "--shots", "single") == 0
    assert sorted(p.name for p in Path("out/two").iterdir()) == FILES


def test_a_name_that_begins_with_a_dash_goes_after_two_dashes() -> None:
    write_video(Path("-5.mp4"))
    assert call("--", "-5.mp4") == 0
    assert Path("out/-5/trajectory.tum").is_file()


def test_odd_names_are_only_names(tmp_path: Path) -> None:
    stems = ["[red]", "a b 'c'", "\u00fcber", "\udcff"]
    for stem in stems:
        write_video(Path("walk.mp4")).rename(f"{stem}.mp4")
    command = [sys.executable, fake_cli.__file__, "trajectory", "-e", "fake", "--no-plot", *(f"{stem}.mp4" for stem in stems)]
    done = subprocess.run(command, cwd=tmp_path, env={**fake_cli.ENVIRONMENT, "LC_ALL": "C"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(Path("out", stem, "motion.json").is_file() for stem in stems)


def test_scoring_of_camerabench_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("walk.mp4"))
    assert call("walk.mp4", "--scoring", "camerabench") == 0
    assert "score (CameraBench)" in capsys.readouterr().out


def test_pictures_are_drawn_unless_refused() -> None:
    write_video(Path("walk.mp4"))
    assert run(["trajectory", "-e", "fake", "walk.mp4"]) == 0
    assert {"trajectory.png", "motion.png", "points.ply"} <= {p.name for p in Path("out/walk").iterdir()}


def test_tracks_are_counted_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("tracked.mp4"))
    assert run(["trajectory", "-e", "fake", "tracked.mp4"]) == 0
    said = "points followed: 25 on the static scene, 5 on what moves by itself; picture: out/tracked/tracks.png\n"
    assert said in capsys.readouterr().out
    assert len(read_tracks(Path("out/tracked/tracks.npz"))) == 30
    assert Path("out/tracked/tracks.png").is_file()


def test_without_pictures_tracks_are_counted_alone(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("tracked.mp4"))
    assert call("tracked.mp4") == 0
    assert "points followed: 25 on the static scene, 5 on what moves by itself\n" in capsys.readouterr().out
    assert sorted(p.name for p in Path("out/tracked").iterdir()) == FILES


def test_json_counts_the_tracks_and_names_their_picture(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("tracked", "walk"):
        write_video(Path(f"{name}.mp4"))
    assert run(["trajectory", "-e", "fake", "--json", "tracked.mp4", "walk.mp4"]) == 0
    tracked, walk = (clip["shots"][0] for clip in json.loads(capsys.readouterr().out)["clips"])
    assert tracked["tracks"] == {"static": 25, "moving": 5, "unjudged": 0}
    assert {"tracks.npz", "tracks.png"} <= set(tracked["files"])
    assert walk["tracks"] is None
    assert not {"tracks.npz", "tracks.png"} & set(walk["files"])


def test_an_estimator_that_follows_no_points_has_no_line_about_them(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("walk.mp4"))
    assert call("walk.mp4") == 0
    assert "points followed" not in capsys.readouterr().out


def test_view_shows_the_trajectory_with_its_points(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr("sfmcam.viz.window.show_trajectory", lambda trajectory, points, *, title: shown.append((trajectory, points, title)))
    monkeypatch.setattr("sfmcam.viz.render.render_trajectory_png", lambda path, **_: path.touch())
    write_video(Path("walk.mp4"))
    write_video(Path("fail.mp4"))
    assert run(["trajectory", "-e", "fake", "--view", "walk.mp4", "fail.mp4"]) == 1
    ((trajectory, points, title),) = shown
    assert (trajectory.num_valid, len(points.points_in_world), title) == (8, 50, "walk")


def test_view_without_a_display_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(trajectory: object, points: object, *, title: str) -> None:
        raise SfmcamError("--view needs a display")

    monkeypatch.setattr("sfmcam.viz.window.show_trajectory", refuse)
    write_video(Path("walk.mp4"))
    assert call("walk.mp4", "--view") == 1
    assert capsys.readouterr().err == "Error: --view needs a display\n"
    assert Path("out/walk/trajectory.tum").is_file()


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("not a video\n" * 100)


def truncated(path: Path) -> None:
    write_video(path, num_frames=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (empty, "bad.mp4 is empty (0 bytes)"),
        (text, "bad.mp4 "),
        (write_audio, "bad.mp4 "),
        (truncated, "bad.mp4 "),  # an mp4 has its index at the end
    ],
    ids=["empty", "text", "audio", "truncated"],
)
def test_a_video_that_cannot_be_read_is_one_sentence(
    capsys: pytest.CaptureFixture[str], make: Callable[[Path], object], sentence: str
) -> None:
    make(Path("bad.mp4"))
    assert call("bad.mp4") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    said = [line for line in captured.err.splitlines() if line.strip() and not line.startswith("bad.mp4: fake is at work")]
    assert len(said) == 1
    assert said[0].startswith(f"Error: {sentence}")
    assert json.loads(Path("out/bad/motion.json").read_text())["status"] == "unreadable_video"


def test_a_video_of_one_frame_is_a_status_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("bad.mp4"), num_frames=1)
    assert call("bad.mp4") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("bad  too_few_frames\n")
    assert "Error: bad: The shot has fewer than two different frames at this frame rate; try a higher --fps (1 frame)\n" in captured.err


def test_a_truncated_video_is_used_as_far_as_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    truncated(Path("cut.avi"))  # its frames can be read without an index
    assert call("cut.avi") == 0
    (problem, *_) = json.loads(Path("out/cut/motion.json").read_text())["problems"]
    assert f"note: {problem}" in capsys.readouterr().out


@pytest.mark.parametrize("estimator", ["colmap", "glomap"])
def test_two_identical_frames_are_refused(estimator: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_video(Path("twice.mp4"), num_frames=2, still=True)
    assert run(["trajectory", "-e", estimator, "--no-plot", "twice.mp4"]) == 1
    printed = capsys.readouterr().out
    assert "twice  too_few_frames" in printed
    assert "the two frames are the same picture" in printed


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere.mp4"], 1, "There is no video nowhere.mp4"),
        (["a/walk.mp4", "b/walk.mp4"], 1, "would share the folder out/walk"),
        (["a/walk.mp4", "-e", "glomp"], 2, "Did you mean 'glomap'?"),
        (["a/walk.mp4", "-e", "fake:wild"], 2, "There is no preset of fake 'wild'"),
        (["a/walk.mp4", "-e", "fake,fake:wide"], 2, "takes one estimator"),
        (["a/walk.mp4", "--fps", "0"], 2, "fps"),
        (["a/walk.mp4", "--fps", "fast"], 2, "'fast' is not a valid float"),
        (["a/walk.mp4", "--fps", "inf"], 2, "fps: Input should be a finite number"),
        (["a/walk.mp4", "--fps", "nan"], 2, "fps: Input should be a finite number"),
        (["a/walk.mp4", "--timeout", "inf"], 2, "timeout_s: Input should be a finite number"),
        (["a/walk.mp4", "--timeout", "nan"], 2, "timeout_s: Input should be a finite number"),
        (["a/walk.mp4", "--threads", "0"], 2, "threads"),
        (["x" * 300], 1, "file name too long"),
        (["a/walk.mp4", "--long-side", "3"], 2, "long_side_px"),
        (["a/walk.mp4", "--max-frames", "1"], 2, "max_frames"),
        (["a/walk.mp4", "--timeout", "-1"], 2, "timeout_s"),
        (["a/walk.mp4", "--shots", "some"], 2, "'some' is not one of"),
        (["a/walk.mp4", "--scoring", "vlm"], 2, "'vlm' is not one of"),
        (["a/walk.mp4", "--sped", "3"], 2, "No such option"),
        (["a/walk.mp4", "-o", "taken"], 1, "Cannot make the folder taken/walk"),
        (["a/walk.mp4", "-o", "taken/deeper"], 1, "Cannot make the folder taken/deeper/walk"),
    ],
)
def test_a_wrong_call_is_one_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "walk.mp4").touch()
    Path("taken").touch()
    assert call(*arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
