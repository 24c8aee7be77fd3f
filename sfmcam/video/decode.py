"""Tolerant decoding: what can be decoded is, and what could not be is counted and told."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sfmcam.video.container import Announced

logger = logging.getLogger(__name__)

MAX_THREADS = 4  # every decoding thread holds a full-size frame of its own
MAX_HELD_BYTES = 16 << 20  # of packets that are read ahead; opening a small file twice costs as much as decoding ten frames of it
MAX_READ_ERRORS = 8  # in a row, before the rest of a file is given up
SHORTFALL = 0.95  # of the announced length; below it the file counts as cut off


@dataclass
class Tally:
    """What was met while one file was decoded."""

    packets: int = 0
    bad_packets: int = 0
    skipped_packets: int = 0
    read_errors: int = 0
    frames: int = 0
    damaged_frames: int = 0
    reached_s: float = 0.0

    def problems(self, header: Announced) -> tuple[str, ...]:
        """Return one sentence for each thing that was lost; none for a sound file."""
        told = []
        if self.bad_packets:
            told.append(f"{self.bad_packets} of {self.packets} packets could not be decoded")
        if self.read_errors:
            told.append(f"the file could not be read on at {self.read_errors} {'place' if self.read_errors == 1 else 'places'}")
        if self.damaged_frames:
            told.append(f"{self.damaged_frames} of {self.frames} frames are damaged")
        if self.frames + self.skipped_packets < header.num_frames:
            told.append(f"only {self.frames} of the {header.num_frames} announced frames could be decoded")
        elif not header.num_frames and header.duration_s and self.reached_s < SHORTFALL * header.duration_s:
            told.append(f"the video ends after {self.reached_s:.2f} s of the announced {header.duration_s:.2f} s")
        return tuple(told)


def most_threads() -> int:
    """Return how many threads decode a sound file."""
    return min(MAX_THREADS, os.cpu_count() or 1)


@dataclass(frozen=True)
class ReadAhead:
    """The packets of a file, read before the first is decoded.

    Attributes:
        stamps: the display times to expect, ascending, in units of the stream's time base.
        packets: what there is to decode, ending with the empty packet; None where it is too much to hold, and must be read again.
        tally: what was met in reading them.
    """

    stamps: list[int]
    packets: list[Packet[VideoStream]] | None
    tally: Tally


def read_ahead(container: InputContainer, stream: VideoStream) -> ReadAhead:
    """Read all packets of `stream` without decoding one, and hold them if they are small enough together."""
    tally, stamps, held_bytes = Tally(), set(), 0
    packets: list[Packet[VideoStream]] | None = []
    for packet in _packets(container, stream, tally):
        stamp = stamp_of(packet)
        if packet.size and not packet.is_discard and stamp is not None:
            stamps.add(stamp)
        held_bytes += packet.size
        if packets is not None:
            packets.append(packet)
        if held_bytes > MAX_HELD_BYTES:
            packets = None
    return ReadAhead(sorted(stamps), packets, tally)


def decode_frames(
    container: InputContainer, stream: VideoStream, tally: Tally, *, threads: int, packets: Iterable[Packet[VideoStream]] | None = None
) -> Iterator[VideoFrame]:
    """Yield the frames of `stream` in display order, passing over what cannot be decoded, and count into `tally`.

    With several threads the frames of a sound file are the same, but those of a damaged file differ from run to run:
    whoever finds `tally.problems` not empty decodes again with one thread.

    Args:
        container: an open file.
        stream: its video.
        tally: to count into.
        threads: how many threads decode.
        packets: what `read_ahead` read of the same opening, already counted; None to read the packets now.
    """
    stream.thread_type = "AUTO" if threads > 1 else "NONE"
    stream.thread_count = threads
    for packet in _packets(container, stream, tally) if packets is None else packets:
        for frame in _decoded(packet, tally):
            tally.frames += 1
            tally.damaged_frames += frame.is_corrupt
            yield frame


def _packets(container: InputContainer, stream: VideoStream, tally: Tally) -> Iterator[Packet[VideoStream]]:
    """Yield all packets and, at the end, the empty one that makes the decoder hand out what it holds back."""
    errors = 0
    while errors < MAX_READ_ERRORS:
        try:
            for packet in container.demux(stream):
                _count(packet, tally)
                errors = 0
                yield packet
            return
        except av.FFmpegError as error:  # reading can go on behind the damage
            logger.debug("reading %s: %s", container.name, error)
            errors += 1
            tally.read_errors += errors == 1
    logger.debug("gave up reading %s after packet %d", container.name, tally.packets)
    last: Packet[VideoStream] = cast("Packet[VideoStream]", Packet())
    last.stream = stream
    yield last


def _count(packet: Packet[VideoStream], tally: Tally) -> None:
    if not packet.size:
        return
    tally.packets += 1
    tally.skipped_packets += packet.is_discard
    stamp = stamp_of(packet)
    if stamp is not None and packet.time_base:
        start = packet.stream.start_time or 0
        tally.reached_s = max(tally.reached_s, float((stamp - start + (packet.duration or 0)) * packet.time_base))


def _decoded(packet: Packet[VideoStream], tally: Tally) -> list[VideoFrame]:
    try:
        return packet.decode()
    except av.FFmpegError as error:
        logger.debug("packet at %s: %s", packet.dts, error)
        tally.bad_packets += bool(packet.size)
        return []


def stamp_of(unit: Packet[VideoStream] | VideoFrame) -> int | None:
    """Return the time stamp in units of the stream's time base: of the display or, failing that, of the decoding."""
    return unit.dts if unit.pts is None else unit.pts
