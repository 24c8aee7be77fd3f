"""Videos of a few hundredths of a megapixel, written on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(path: Path, *, num_frames: int = 8, fps: int = 6, cut_at: int | None = None, still: bool = False) -> Path:
    """Write noise that slides by two pixels per frame (or stands `still`); from frame `cut_at` on, another picture."""
    rng = np.random.default_rng(0)
    pictures = [np.kron(rng.integers(0, 255, (16, 64, 3), dtype=np.uint8), np.ones((6, 6, 1), dtype=np.uint8)) for _ in range(2)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 128, 96, "yuv420p", 4_000_000
        for i in range(num_frames):
            picture = pictures[cut_at is not None and i >= cut_at]
            shift = 0 if still else 2 * i
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:, shift : shift + 128]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_audio(path: Path) -> Path:
    """Write a file that has sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
