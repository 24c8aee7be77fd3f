"""The clips of length.py and warm.py: one rendered walk of 3 s, and what can be made of it without rendering more.

A long clip is the walk forth and back as often as needed: its pictures are encoded once, and their packets repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from sfmcam.datasets.synthetic.camera_path import pan, truck
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import build_stage
from sfmcam.io.atomic import replacing
from sfmcam.types import UInt8

SIZE_PX, SIZE_4K_PX = (640, 360), (3840, 2160)
FPS, SECONDS = 24, 3
# without B-frames packets come in the order of the pictures, so that a file can be cut after any and repeated from the first
ENCODER = {"preset": "veryfast", "bf": "0", "crf": "20", "threads": "1"}


@dataclass(frozen=True)
class Made:
    """A clip on disk and how long it plays."""

    path: Path
    seconds: float


def rendered_walk(folder: Path) -> UInt8:
    """Return (72, 360, 640, 3) pictures of a camera that moves right and pans in a street, rendered once and kept in `folder`."""
    kept = folder / "walk.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), np.uint8)
    spec = ClipSpec("walk", "street", 7, (truck(0.3), pan(6)), size_px=SIZE_PX, fps=FPS, seconds=SECONDS)
    stage = build_stage(spec)
    times_s = spec.timestamps_s.tolist()
    pictures = np.stack([stage.frame(t, np.random.default_rng((spec.seed, k))) for k, t in enumerate(times_s)])
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as part, part.open("wb") as file:
        np.save(file, pictures)
    return pictures


def make_clips(folder: Path, lengths_s: Sequence[int]) -> dict[str, Made]:
    """Make the walk, longer ones of `lengths_s` seconds, one at 1 frame per second, one of 16 frames, and one in 4K; by name."""
    walk = rendered_walk(folder)
    cycle = encode(folder / "cycle.mp4", np.concatenate([walk, walk[-2:0:-1]]), fps=FPS)
    made = {f"{s} s": Made(repeat(folder / f"{s}s.mp4", cycle, num_frames=s * FPS, fps=FPS), s) for s in lengths_s}
    made["1 frame per second"] = Made(encode(folder / "slow.mp4", walk[::4], fps=1), len(walk[::4]))
    made["16 frames"] = Made(encode(folder / "short.mp4", walk[:16], fps=FPS), 16 / FPS)
    made["4K, 3 s"] = Made(encode(folder / "large.mp4", walk, fps=FPS, size_px=SIZE_4K_PX), SECONDS)
    return made


def encode(path: Path, pictures: Iterable[UInt8], *, fps: int, size_px: tuple[int, int] = SIZE_PX) -> Path:
    """Encode (H, W, 3) pictures as H.264 of `size_px`, enlarged where that is larger; what is there is kept."""
    if path.is_file():
        return path
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=ENCODER)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(*size_px, format="yuv420p", interpolation="BICUBIC")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def repeat(path: Path, cycle: Path, *, num_frames: int, fps: int) -> Path:
    """Write the first `num_frames` pictures of `cycle`, over and over, without encoding them again; what is there is kept."""
    if path.is_file():
        return path
    with av.open(str(cycle)) as source, replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        template = source.streams.video[0]
        packets = [(bytes(packet), packet.is_keyframe) for packet in source.demux(template) if packet.size]
        stream = container.add_stream_from_template(template)
        for index in range(num_frames):
            content, is_keyframe = packets[index % len(packets)]
            packet = av.Packet(content)
            packet.stream, packet.is_keyframe = stream, is_keyframe
            packet.time_base, packet.pts, packet.dts, packet.duration = Fraction(1, fps), index, index, 1
            container.mux(packet)
    return path
