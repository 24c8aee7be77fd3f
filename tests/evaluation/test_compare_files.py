"""Files of any tool are compared; focal lengths are found beside a reference; what does not fit is one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_video import write_video
from trajectory_samples import smooth_poses, trajectory_of

from sfmcam.errors import ConfigError, InputError, TrajectoryFileError
from sfmcam.evaluation.compare_files import CompareOptions, compare_files, refuse_idle_rate
from sfmcam.evaluation.frame_pairs import Pairing
from sfmcam.geometry.rigid import inverse
from sfmcam.io.trajectory_file import write_npz, write_tum

N = 6
PATH = trajectory_of(smooth_poses(N), focal_px=np.full(N, 110.0), image_size_px=(128, 96))
BY_INDEX = CompareOptions(pairing=Pairing.INDEX)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with one path in several formats, and a labelled set's `poses`, `intrinsics` and `videos`."""
    write_npz(tmp_path / "own.npz", PATH)
    write_tum(tmp_path / "own.tum", PATH)
    write_tum(tmp_path / "late.tum", replace(PATH, timestamps_s=PATH.timestamps_s + 1000))
    matrices = inverse(PATH.cam_from_world)
    np.savetxt(tmp_path / "kitti.txt", matrices[:, :3].reshape(N, 12), fmt="%.17g")
    np.savez(tmp_path / "mega.npz", cam_c2w=matrices, intrinsic=np.diag([300.0, 300, 1]))
    for name in ("poses", "intrinsics", "videos"):
        (tmp_path / name).mkdir()
    write_tum(tmp_path / "poses" / "clip.tum", PATH)
    (tmp_path / "intrinsics" / "clip.txt").write_text("100 100 64 48\n" * N, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("estimate", ["own.npz", "own.tum", "kitti.txt", "mega.npz"])
@pytest.mark.parametrize("reference", ["own.npz", "own.tum", "kitti.txt"])
def test_any_format_against_any(files: Path, estimate: str, reference: str) -> None:
    compared = compare_files(files / estimate, files / reference, BY_INDEX)
    assert compared.result.coverage == 1
    assert compared.result.figures["APE_rmse"] == pytest.approx(0, abs=1e-9)
    assert compared.result.figures["CamMC"] == pytest.approx(0, abs=1e-6)


def test_formats_that_count_frames_get_times_and_say_so(files: Path) -> None:
    compared = compare_files(files / "kitti.txt", files / "own.tum", CompareOptions(fps=10))
    assert (len(compared.result.pairs), compared.result.figures["APE_rmse"]) == (N, pytest.approx(0, abs=1e-9))
    assert "taken at 10 per second" in compared.notes[0]
    refuse_idle_rate([compared], CompareOptions(fps=10))


def test_the_focal_lengths_of_a_labelled_set_are_found(files: Path) -> None:
    reference = files / "poses" / "clip.tum"
    unknown = compare_files(files / "own.npz", reference, CompareOptions())
    assert "picture size" in unknown.to_json()["reasons"]["focal"]
    given = compare_files(files / "own.npz", reference, CompareOptions(size_px=(128, 96)))
    assert given.result.figures["focal_median_percent"] == pytest.approx(10)
    write_video(files / "videos" / "clip.mp4", num_frames=2)
    assert compare_files(files / "own.npz", reference, CompareOptions()).result.figures["focal_median_percent"] == pytest.approx(10)


@pytest.mark.parametrize("intrinsics", ["intrinsics", "intrinsics/clip.txt"])
def test_or_they_are_given(files: Path, intrinsics: str) -> None:
    (files / "clip.tum").write_bytes((files / "own.tum").read_bytes())
    options = CompareOptions(intrinsics=files / intrinsics, size_px=(256, 192))
    assert compare_files(files / "own.npz", files / "clip.tum", options).result.figures["focal_max_percent"] == pytest.approx(120)


def test_a_folder_of_intrinsics_without_this_clip_leaves_the_focal_length_unknown(files: Path) -> None:
    compared = compare_files(files / "own.npz", files / "own.tum", CompareOptions(intrinsics=files / "intrinsics"))
    assert compared.to_json()["reasons"]["focal"] == "no focal length to compare"


def test_different_lengths_by_number(files: Path) -> None:
    write_npz(files / "short.npz", trajectory_of(PATH.cam_from_world[:4]))
    compared = compare_files(files / "short.npz", files / "own.npz", BY_INDEX)
    assert (len(compared.result.pairs), compared.result.coverage) == (4, pytest.approx(4 / 6))
    assert "the last 2 frames of" in compared.notes[0]
    assert "have no partner" in compared.notes[0]


def test_the_estimates_clock_can_be_shifted(files: Path) -> None:
    compared = compare_files(files / "late.tum", files / "own.tum", CompareOptions(offset_s=-1000.02))
    assert len(compared.result.pairs) == N
    assert compared.to_json()["apart_s"] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("estimate", "reference", "options", "error", "words"),
    [
        ("late.tum", "own.tum", CompareOptions(), InputError, "1000.000 to 1000.500 s.* lies within 0.05 s of one of .*--pair index"),
        ("none.tum", "own.tum", CompareOptions(), TrajectoryFileError, "there is no file"),
        ("twice.tum", "own.tum", CompareOptions(), TrajectoryFileError, "twice.tum, line 2: time 0.0 repeats the time"),
        ("nan.tum", "own.tum", CompareOptions(), TrajectoryFileError, "nan.tum, line 1: holds a number that is NaN"),
        ("far.tum", "own.tum", CompareOptions(), TrajectoryFileError, r"far\.tum has a camera 1e\+200 away"),
        ("nothing.npz", "own.tum", CompareOptions(), InputError, "nothing.npz has no frame with a pose"),
        ("own.tum", "nothing.npz", BY_INDEX, InputError, "nothing.npz has no frame with a pose"),
        ("poses", "intrinsics", CompareOptions(), InputError, "compared with --batch"),
        ("own.tum", "own.npz", CompareOptions(intrinsics=Path("x.txt")), ConfigError, "goes with a TUM reference"),
        ("own.tum", "own.tum", CompareOptions(pairing=Pairing.INDEX, offset_s=1.0), ConfigError, "go with --pair time"),
        ("own.tum", "own.tum", CompareOptions(intrinsics=Path("x.txt")), TrajectoryFileError, "there is no file x.txt"),
    ],
)
def test_what_cannot_be_compared(
    files: Path, estimate: str, reference: str, options: CompareOptions, error: type[Exception], words: str
) -> None:
    (files / "twice.tum").write_text("0 0 0 0 0 0 0 1\n" * 2, encoding="utf-8")
    (files / "far.tum").write_text("0 1e200 0 0 0 0 0 1\n", encoding="utf-8")
    (files / "nan.tum").write_text("0 nan 0 0 0 0 0 1\n", encoding="utf-8")
    write_npz(files / "nothing.npz", trajectory_of(np.full((N, 4, 4), np.nan), valid=np.zeros(N, bool)))
    with pytest.raises(error, match=words):
        compare_files(files / estimate, files / reference, options)


def test_a_rate_that_no_file_needs_is_refused(files: Path) -> None:
    options = CompareOptions(fps=10)
    with pytest.raises(ConfigError, match="no meaning for the format tum, whose"):
        refuse_idle_rate([compare_files(files / "own.tum", files / "own.tum", options)], options)
