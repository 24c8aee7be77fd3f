"""Damaged files give what can be decoded, say what could not, and give the same twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from make_videos import index_first, numbered, numbers_of, panned, scramble, truncate, write_video

from sfmcam.config import FrameConfig
from sfmcam.video.container import Announced
from sfmcam.video.decode import Tally
from sfmcam.video.source import load_shots

ALL = FrameConfig(fps=None, max_frames=1000, shots="single")


def sound_clip(folder: Path, name: str = "clip.mp4") -> Path:
    return write_video(folder / name, [numbered(i, width=192, height=108) for i in range(90)], options={"crf": "8", "g": "15", "bf": "2"})


def cut_mp4(folder: Path) -> Path:
    return truncate(index_first(sound_clip(folder), folder / "front.mp4"), 0.5)


def cut_mkv(folder: Path) -> Path:
    return truncate(sound_clip(folder, "clip.mkv"), 0.5)


def cut_webm(folder: Path) -> Path:
    pictures = panned(1, 60)
    return truncate(write_video(folder / "clip.webm", pictures, codec="libvpx-vp9", options={"g": "10", "lag-in-frames": "0"}), 0.6)


@pytest.mark.parametrize(
    ("make", "said"),
    [(cut_mp4, "of the 90 announced frames could be decoded"), (cut_mkv, "of the announced 3.60 s"), (cut_webm, "of the announced 2.40 s")],
)
def test_truncated(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    path = make(tmp_path)
    (shot,) = load_shots(path, ALL)
    assert 10 < len(shot.frames) < 85
    assert said in " ".join(shot.frames.problems)
    if "webm" not in path.name:
        assert numbers_of(shot.frames.images) == list(range(len(shot.frames)))


def test_truncated_file_is_sampled_over_what_is_there(tmp_path: Path) -> None:
    path = cut_mp4(tmp_path)
    (whole,) = load_shots(path, ALL)
    (sampled,) = load_shots(path, FrameConfig(fps=None, max_frames=5, shots="single"))
    assert sampled.frames.timestamps_s[-1] == whole.frames.timestamps_s[-1]
    assert len(sampled.frames) == 5


@pytest.mark.parametrize("seed", range(3))
def test_corrupt_bits(tmp_path: Path, seed: int) -> None:
    path = write_video(tmp_path / "clip.mkv", panned(2, 90), options={"crf": "8", "g": "15"})
    scramble(path, begin=0.3, end=0.9, places=25, seed=seed)
    (shot,) = load_shots(path, ALL)
    (again,) = load_shots(path, ALL)
    assert 20 < len(shot.frames) <= 90
    assert shot.frames.problems
    assert shot.frames.problems == again.frames.problems
    np.testing.assert_array_equal(shot.frames.images, again.frames.images)
    (sampled,) = load_shots(path, FrameConfig(fps=5, shots="auto"))[:1]
    rows = np.searchsorted(shot.frames.timestamps_s, sampled.frames.timestamps_s)
    np.testing.assert_array_equal(sampled.frames.images, shot.frames.images[rows])


def test_packets_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mov", [numbered(i) for i in range(30)], codec="png", pixel_format="rgb24")
    scramble(path, begin=0.4, end=0.6, places=12)
    (shot,) = load_shots(path, ALL)
    assert 20 < len(shot.frames) < 30
    lost = 30 - len(shot.frames)
    assert f"{lost} of 30 packets could not be decoded" in shot.frames.problems
    assert f"only {30 - lost} of the 30 announced frames could be decoded" in shot.frames.problems
    numbers = numbers_of(shot.frames.images)
    np.testing.assert_allclose(shot.frames.timestamps_s, np.array(numbers) / 25, atol=1e-6)


HEADER = Announced(codec="h264", fps=25, num_frames=90, duration_s=3.6, pixel_aspect=1)
OPEN_HEADER = Announced(codec="vp9", fps=25, num_frames=0, duration_s=3.6, pixel_aspect=1)


@pytest.mark.parametrize(
    ("tally", "header", "said"),
    [
        (Tally(packets=90, frames=90, reached_s=3.6), HEADER, ()),
        (Tally(packets=90, frames=88, skipped_packets=2, reached_s=3.6), HEADER, ()),  # an edit list hides two
        (Tally(packets=90, frames=73, bad_packets=17, reached_s=3.6), HEADER, ("17 of 90 packets", "only 73 of the 90")),
        (Tally(packets=26, frames=25, bad_packets=1, reached_s=1.0), HEADER, ("1 of 26 packets", "only 25 of the 90")),
        (Tally(packets=90, frames=90, damaged_frames=12, reached_s=3.6), HEADER, ("12 of 90 frames are damaged",)),
        (Tally(packets=90, frames=90, reached_s=3.5), OPEN_HEADER, ()),
        (Tally(packets=40, frames=40, reached_s=1.6), OPEN_HEADER, ("ends after 1.60 s of the announced 3.60 s",)),
        (Tally(packets=40, frames=90, read_errors=1, reached_s=3.6), HEADER, ("could not be read on at 1 place",)),
    ],
)
def test_sentences(tally: Tally, header: Announced, said: tuple[str, ...]) -> None:
    problems = tally.problems(header)
    assert len(problems) == len(said)
    assert all(part in sentence for part, sentence in zip(said, problems, strict=True))
