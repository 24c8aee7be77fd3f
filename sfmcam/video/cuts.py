"""Sudden changes: scenedetect's adaptive detector, fed with frames that are already decoded and small."""

from __future__ import annotations

from fractions import Fraction

from sfmcam.types import UInt8

SUDDENNESS = 2.0  # adaptive_threshold; below scenedetect's 3, since every suspect is examined afterwards
MIN_CHANGE = 10.0  # min_content_val; scenedetect's default is 15
MARGIN = 2  # window_width: frames on each side of a change that it is compared with


class CutSuspects:
    """Names every frame whose change from the frame before stands out from the changes around it.

    The detector is silent on the first and last `MARGIN` frames, just where a badly trimmed clip keeps a frame of another shot. So it
    is shown the frames mirrored at both ends (2 1 0 1 2 ...), which continues a camera move as the move it was.
    """

    def __init__(self) -> None:
        from scenedetect import AdaptiveDetector

        self._detector = AdaptiveDetector(adaptive_threshold=SUDDENNESS, min_scene_len=0, window_width=MARGIN, min_content_val=MIN_CHANGE)
        self._fed = 0
        self._opening: list[UInt8] | None = []
        self._latest: list[UInt8] = []

    def push(self, picture_bgr: UInt8) -> list[int]:
        """Take the next frame; return the numbers of the frames, among those pushed, that are found to begin something new."""
        self._latest = [*self._latest[-MARGIN:], picture_bgr]
        if self._opening is None:
            return self._feed([picture_bgr])
        self._opening.append(picture_bgr)
        return self._open() if len(self._opening) > MARGIN else []

    def finish(self) -> list[int]:
        """Return what can be told only now that the last frame is known."""
        suspects = self._open() if self._opening else []
        return suspects + self._feed(self._latest[-2::-1])

    def _open(self) -> list[int]:
        frames, self._opening = self._opening or [], None
        mirrored = frames[MARGIN:0:-1]
        self._fed = -len(mirrored)
        return self._feed(mirrored + frames)

    def _feed(self, pictures: list[UInt8]) -> list[int]:
        from scenedetect import FrameTimecode

        suspects = []
        for picture_bgr in pictures:
            clock = FrameTimecode(self._fed + MARGIN, Fraction(25))  # only counts: the detector looks at nothing but the order
            suspects += [cut.frame_num - MARGIN for cut in self._detector.process_frame(clock, picture_bgr)]
            self._fed += 1
        return [number for number in suspects if number > 0]
