"""The right frames at the right times, ends included, in one decoding where one is enough, in little memory."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from make_videos import numbered, numbers_of, panned, write_video

from sfmcam.config import FrameConfig
from sfmcam.video import decode, reading
from sfmcam.video.container import open_video
from sfmcam.video.decode import decode_frames
from sfmcam.video.source import iter_shots, load_shots

LONG = 250


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("long") / "long.mp4", [numbered(i) for i in range(LONG)], fps=25)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each decoding that was begun: the frames it gave."""
    runs: list[int] = []

    def counting(*args: object, **kwargs: object) -> Iterator[object]:
        runs.append(0)
        for frame in decode_frames(*args, **kwargs):  # type: ignore[arg-type]
            runs[-1] += 1
            yield frame

    monkeypatch.setattr(reading, "decode_frames", counting)
    return runs


@pytest.mark.parametrize(
    ("fps", "max_frames"), [(6.0, 24), (6.0, 200), (1.0, 24), (25.0, 1000), (None, 1000), (None, 10), (0.01, 24), (60.0, 100)]
)
def test_frames_and_times_belong_together(long_video: Path, decoded: list[int], fps: float | None, max_frames: int) -> None:
    (shot,) = load_shots(long_video, FrameConfig(fps=fps, max_frames=max_frames, shots="single"))
    numbers = numbers_of(shot.frames.images)
    np.testing.assert_allclose(shot.frames.timestamps_s, np.array(numbers) / 25, atol=1e-9)
    assert (numbers[0], numbers[-1]) == (0, LONG - 1)
    expected = LONG if fps is None else round((LONG - 1) / 25 * fps) + 1
    assert len(numbers) == min(max(expected, 2), max_frames, LONG)
    assert np.ptp(np.diff(numbers)) <= 1
    assert decoded == [LONG]


def test_one_decoding_serves_a_file_of_one_shot(tmp_path: Path, decoded: list[int]) -> None:
    for name, codec in (("a.mp4", "libx264"), ("a.webm", "libvpx-vp9"), ("a.gif", "gif")):
        pixel_format = "rgb8" if codec == "gif" else "yuv420p"
        path = write_video(tmp_path / name, panned(3, 40), codec=codec, pixel_format=pixel_format)
        assert len(load_shots(path, FrameConfig(shots="auto"))) == 1
    assert decoded == [40, 40, 40]


@pytest.mark.parametrize("held_bytes", [0, 2_000, 1 << 20])
def test_packets_are_held_or_read_again_with_the_same_outcome(
    long_video: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch, held_bytes: int
) -> None:
    (expected,) = load_shots(long_video, FrameConfig(shots="single"))
    openings: list[Path] = []

    @contextmanager
    def counting(path: Path) -> Iterator[object]:
        openings.append(path)
        with open_video(path) as opened:
            yield opened

    monkeypatch.setattr(reading, "open_video", counting)
    monkeypatch.setattr(decode, "MAX_HELD_BYTES", held_bytes)
    (shot,) = load_shots(long_video, FrameConfig(shots="single"))
    np.testing.assert_array_equal(shot.frames.images, expected.frames.images)
    np.testing.assert_array_equal(shot.frames.timestamps_s, expected.frames.timestamps_s)
    assert len(openings) == (1 if held_bytes > 1e6 else 2)
    assert decoded == [LONG, LONG]


def test_each_shot_gets_its_own_frames(tmp_path: Path, decoded: list[int]) -> None:
    pictures = panned(1, 30) + panned(2, 20)
    path = write_video(tmp_path / "two.mp4", pictures)
    first, second = load_shots(path, FrameConfig(fps=5, max_frames=4))
    assert (first.index, second.index) == (0, 1)
    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (
        0,
        pytest.approx(29 / 25),
        pytest.approx(30 / 25),
        pytest.approx(49 / 25),
    )
    assert len(first.frames) == len(second.frames) == 4
    for shot in (first, second):
        assert (shot.frames.timestamps_s[0], shot.frames.timestamps_s[-1]) == (shot.start_s, shot.end_s)
        for image, time_s in zip(shot.frames.images, shot.frames.timestamps_s, strict=True):
            distance = [np.abs(image.astype(float) - picture).mean() for picture in pictures]
            assert int(np.argmin(distance)) == round(time_s * 25)
    assert decoded[0] == 50
    assert len(decoded) == 2
    (whole,) = load_shots(path, FrameConfig(fps=5, shots="single"))
    assert (whole.start_s, whole.end_s) == (0, pytest.approx(49 / 25))


def test_shots_come_one_by_one(tmp_path: Path) -> None:
    path = write_video(tmp_path / "two.mp4", panned(1, 30) + panned(2, 20))
    shots = iter_shots(path, FrameConfig())
    assert next(shots).index == 0
    assert next(shots).index == 1
    assert next(shots, None) is None


def test_the_same_call_gives_the_same_bytes(long_video: Path) -> None:
    one, other = (load_shots(long_video, FrameConfig())[0].frames for _ in range(2))
    np.testing.assert_array_equal(one.images, other.images)
    assert one.digest == other.digest


def test_digest_is_of_the_content(long_video: Path, tmp_path: Path) -> None:
    copy = tmp_path / "renamed.bin"
    copy.write_bytes(long_video.read_bytes())
    (shot,) = load_shots(copy, FrameConfig(shots="single"))
    assert shot.frames.digest == hashlib.sha256(long_video.read_bytes()).hexdigest()
    assert shot.frames.source == copy


@pytest.mark.slow
def test_memory_does_not_grow_with_the_picture_or_the_length(tmp_path: Path) -> None:
    wide = [np.ascontiguousarray(np.kron(p, np.ones((20, 20, 1), np.uint8))) for p in panned(1, 6)]
    path = write_video(tmp_path / "4k.mp4", [wide[i % 6] for i in range(48)], options={"preset": "ultrafast", "crf": "30"})
    code = (
        "import sys; from pathlib import Path; from sfmcam.config import FrameConfig;"
        "from sfmcam.video.source import load_shots; load_shots(Path(sys.argv[1]), FrameConfig());"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert int(run.stdout) / 1024 < 400  # megabytes; 48 frames of 3840x2160 would be 1,200
