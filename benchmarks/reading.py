"""What reading a video costs beside decoding it: milliseconds per clip, decoding alone, grey frames and colour frames.

    python benchmarks/reading.py CLIP_OR_FOLDER... [--repeats 5] [--fps 12] [--long-side 384]

Each figure is the median over the repeats; the three take turns, so that a change of the machine's load meets all of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import av

from sfmcam.config import FrameConfig
from sfmcam.video.source import load_shots

Way = Callable[[Path], object]
SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif"})
COLUMNS = "{:32s} {:>11s} {:>6s} {:>9s} {:>9s} {:>9s} {:>8s}"


def decode_only(clip: Path) -> int:
    """Decode `clip` with as many threads as the decoder likes, and look at no frame; return how many there were."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(1 for _ in container.decode(stream))


def measure(clip: Path, ways: list[Way], *, repeats: int) -> list[float]:
    """Return the median milliseconds of each of `ways`, which take turns; the first round does not count."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats + 1):
        for way, times_ms in zip(ways, taken, strict=True):
            begin = time.perf_counter()
            way(clip)
            times_ms.append(1000 * (time.perf_counter() - begin))
    return [median(times_ms[1:]) for times_ms in taken]


def row(clip: Path, ways: list[Way], *, repeats: int) -> list[float]:
    """Measure one clip and print its line."""
    with av.open(str(clip)) as container:
        context = container.streams.video[0].codec_context
        size = f"{context.width}x{context.height}"
    figures = measure(clip, ways, repeats=repeats)
    print_row(clip.name, size, str(decode_only(clip)), figures)
    return figures


def print_row(name: str, size: str, frames: str, figures: list[float]) -> None:
    """Print milliseconds, and how much longer reading grey frames takes than decoding."""
    decode_ms, gray_ms, rgb_ms = figures
    print(COLUMNS.format(name[:32], size, frames, f"{decode_ms:.0f}", f"{gray_ms:.0f}", f"{rgb_ms:.0f}", f"{gray_ms / decode_ms:.2f}"))


def main() -> None:
    """Print one line for each clip, and their sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--fps", type=float, default=12)
    parser.add_argument("--long-side", type=int, default=384)
    given = parser.parse_args()
    base = FrameConfig(fps=given.fps, max_frames=3600, long_side_px=given.long_side)
    gray, rgb = (base.model_copy(update={"pixels": pixels}) for pixels in ("gray", "rgb"))
    ways: list[Way] = [decode_only, lambda clip: load_shots(clip, gray), lambda clip: load_shots(clip, rgb)]
    folders = ((sorted(f for f in path.iterdir() if f.suffix in SUFFIXES) if path.is_dir() else [path]) for path in given.clips)
    print(COLUMNS.format("clip", "size", "frames", "decode ms", "gray ms", "rgb ms", "gray/dec"))
    rows = [row(clip, ways, repeats=given.repeats) for clips in folders for clip in clips]
    print_row("all", "", "", [sum(column) for column in zip(*rows, strict=True)])


if __name__ == "__main__":
    main()
