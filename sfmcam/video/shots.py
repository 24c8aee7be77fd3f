"""Where one shot ends and the next begins, found while the file is being decoded.

A sudden change of grey levels, a drop of continuity and a test for mixtures (dissolves, fades) name the suspects, generously; of each it
is then asked whether the pictures before and after still match. That lets flashes, flicker, fast pans and passing movers through as one
shot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sfmcam.types import UInt8
from sfmcam.video.blend import WINDOWS, BlendFinder
from sfmcam.video.cuts import MARGIN, is_sudden
from sfmcam.video.similarity import Look, change, continuity, same_scene

PICTURE_SIDE_PX = 256  # longer side of the pictures to push
SAME_FRAME = 0.7  # mean grey level difference up to which a frame only repeats the one before (animation on twos, converted rates)
BROKEN = 0.6  # continuity with the frame before: over a cut of real clips 0.06, 0.5 at most; within a clip seldom below 0.8 ...
STANDS_OUT = 0.4  # ... and how far the frames around must be above it, so that a whip pan is no row of cuts
BEFORE = (0, 2, 4)  # distinct frames back from the suspected cut ...
AFTER = (0, 2, 4, 8)  # ... and on from it, which are compared
FLASH_S = 0.4  # a disturbance up to this long does not end a shot if the picture comes back
RING = max(WINDOWS) + max(BEFORE) + max(AFTER) + MARGIN + 2


@dataclass(frozen=True)
class Transition:
    """Distinct frames around a cut: the last one of the old shot and the first one of the new shot; what lies between is in neither."""

    last_before: int
    first_after: int


class ShotFinder:
    """Takes the pictures of a file one by one, and tells the shots at the end. Memory does not grow with the pictures."""

    def __init__(self) -> None:
        self._blends = BlendFinder()
        self._first_shown: list[int] = []  # of each distinct frame: its number in the file
        self._blank: list[bool] = []  # of each distinct frame
        self._changes: list[float] = []  # of each distinct frame: from the one before
        self._pushed = 0
        self._looks: deque[Look] = deque(maxlen=RING)
        self._times_s: deque[float] = deque(maxlen=RING)
        self._suspects: list[Transition] = []
        self._found: list[Transition] = []

    def push(self, gray: UInt8, time_s: float) -> None:
        """Take the next frame: (H, W) uint8 grey levels, longer side `PICTURE_SIDE_PX` or less."""
        look = Look(gray)
        changed = change(self._looks[-1], look) if self._looks else float("nan")
        self._pushed += 1
        if changed < SAME_FRAME:
            return
        self._first_shown.append(self._pushed - 1)
        self._looks.append(look)
        self._changes.append(changed)
        self._times_s.append(time_s)
        self._blank.append(look.is_blank)
        newest = len(self._changes) - 1
        self._suspect_cut(newest - MARGIN)
        self._suspect_break(newest - 1)
        self._suspects += [Transition(newest - b.last_before, newest - b.first_after) for b in self._blends.push(look, time_s)]
        self._examine(settled=newest - max(AFTER))

    def finish(self) -> list[range]:
        """Return the frames of each shot, in order; blank leaders and the mixed frames of a transition belong to none."""
        if not self._pushed:
            return []
        num_distinct = len(self._changes)
        for last in range(num_distinct - MARGIN, num_distinct):
            self._suspect_cut(last)
        self._suspect_break(num_distinct - 1)
        self._examine(settled=num_distinct)
        edges = [*self._first_shown[1:], self._pushed]  # of each distinct frame: the number after its last repetition
        shots, begin = [], 0
        for cut in sorted(self._found, key=lambda t: t.last_before):
            shots.append(range(begin, cut.last_before + 1))
            begin = cut.first_after
        shots.append(range(begin, len(edges)))
        full = [shot for shot in shots if not all(self._blank[shot.start : shot.stop])]
        return [range(self._first_shown[shot.start], edges[shot.stop - 1]) for shot in (full or [range(len(edges))])]

    def _suspect_cut(self, index: int) -> None:
        if index >= 1 and is_sudden(self._changes, index):
            self._suspects.append(Transition(index - 1, index))

    def _suspect_break(self, index: int) -> None:
        if index < 1:
            return
        broken = self._continuity(index, enough=BROKEN)
        if not broken < BROKEN:
            return
        neighbours = [
            1.0 if self._is_held(held) else self._continuity(changed, enough=1.0)
            for held, changed in ((index - 1, index - 1), (index, index + 1))
            if self._is_held(held) or 1 <= changed < len(self._changes)
        ]
        if neighbours and all(around > broken + STANDS_OUT for around in neighbours):
            self._suspects.append(Transition(index - 1, index))

    def _continuity(self, index: int, *, enough: float) -> float:
        """Return the continuity of a distinct frame with the one before, as far up as `enough`."""
        return continuity(self._look(index - 1), self._look(index), enough=enough)

    def _is_held(self, index: int) -> bool:
        end = self._first_shown[index + 1] if index + 1 < len(self._first_shown) else self._pushed
        return end - self._first_shown[index] > 1

    def _examine(self, *, settled: int) -> None:
        """Decide on the suspects whose frames after, up to the distinct frame `settled`, are known."""
        ready = [s for s in self._suspects if s.first_after <= settled]
        self._suspects = [s for s in self._suspects if s.first_after > settled]
        for suspect in ready:
            touching = [t for t in self._found if t.last_before < suspect.first_after and suspect.last_before < t.first_after]
            if touching or self._is_cut(suspect):
                for t in touching:
                    self._found.remove(t)
                group = [suspect, *touching]
                self._found.append(Transition(min(t.last_before for t in group), max(t.first_after for t in group)))

    def _is_cut(self, suspect: Transition) -> bool:
        before = [suspect.last_before - k for k in BEFORE]
        after = [suspect.first_after + k for k in AFTER]
        begin = self._time(suspect.last_before)
        near_after = [k for k in after if k == suspect.first_after or (self._holds(k) and self._time(k) - begin <= FLASH_S)]
        near_before = [k for k in before if self._holds(k)]
        return not same_scene([(self._look(i), self._look(j)) for i in near_before for j in near_after])

    def _holds(self, index: int) -> bool:
        newest = len(self._first_shown) - 1
        return newest - len(self._looks) < index <= newest

    def _look(self, index: int) -> Look:
        return self._looks[index - len(self._first_shown)]

    def _time(self, index: int) -> float:
        return self._times_s[index - len(self._first_shown)]


def find_shots(pictures: Iterable[tuple[UInt8, float]]) -> list[range]:
    """Return the frames of each shot among `pictures`, pairs of a small (H, W) grey picture and its time in seconds."""
    finder = ShotFinder()
    for gray, time_s in pictures:
        finder.push(gray, time_s)
    return finder.finish()
