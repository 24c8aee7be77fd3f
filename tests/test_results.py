"""Results: the longest solved shot speaks for a clip, and nothing is lost on the way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.track_count import TrackCount
from sfmcam.results import SCORINGS, Checkpoint, ClipResult, Seconds, ShotResult, failed_clip
from sfmcam.types import Status

SCORES = {scoring: {p.id: 0.1 * i for i, p in enumerate(PRIMITIVES)} for scoring in SCORINGS}


def shot(index: int, *, length_s: float, status: Status = Status.OK) -> ShotResult:
    return ShotResult(
        index, 0.0, length_s, status, scores=SCORES if status.is_success else {}, image_size_px=(64, 48), files=("motion.json",)
    )


def clip(*shots: ShotResult) -> ClipResult:
    return ClipResult("a", "a.mp4", "00ff", shots=shots, problems=("one packet was lost",), seconds=Seconds(total=1.5), peak_mb=101.5)


@pytest.mark.parametrize(
    ("shots", "spokesman", "status"),
    [
        ([shot(0, length_s=2.0)], 0, Status.OK),
        ([shot(0, length_s=1.0), shot(1, length_s=2.0, status=Status.STILL)], 1, Status.STILL),
        ([shot(0, length_s=1.0), shot(1, length_s=9.0, status=Status.TIMEOUT)], 0, Status.OK),
        ([shot(0, length_s=1.0, status=Status.TIMEOUT), shot(1, length_s=2.0, status=Status.MAPPING_FAILED)], 1, Status.MAPPING_FAILED),
        ([shot(0, length_s=2.0), shot(1, length_s=2.0)], 0, Status.OK),
    ],
)
def test_longest_solved_shot_speaks(shots: list[ShotResult], spokesman: int, status: Status) -> None:
    result = clip(*shots)
    assert result.main_shot is shots[spokesman]
    assert result.status is status
    assert (result.scores("depth") is not None) is status.is_success


@pytest.mark.parametrize(
    "result",
    [
        clip(shot(0, length_s=1.0), shot(1, length_s=2.0, status=Status.TOO_FEW_MATCHES)),
        clip(replace(shot(0, length_s=1.0), tracks=TrackCount(3, 2, 1))),
        failed_clip("b", "b.mp4", status=Status.UNREADABLE_VIDEO, message="no frame"),
    ],
)
def test_json_round_trip(result: ClipResult) -> None:
    assert ClipResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_result_kept_before_tracks_were_counted_is_read() -> None:
    kept = clip(shot(0, length_s=1.0)).to_json()
    del kept["shots"][0]["tracks"]
    assert ClipResult.from_json(kept) == clip(shot(0, length_s=1.0))


def test_a_clip_has_shots_or_a_failure() -> None:
    with pytest.raises(ValueError, match="either shots or a failure"):
        ClipResult("a", "a.mp4")
    with pytest.raises(ValueError, match="either shots or a failure"):
        ClipResult("a", "a.mp4", failure=Status.TIMEOUT, shots=(shot(0, length_s=1.0),))


def test_death_goes_to_the_shots_that_were_not_reached() -> None:
    checkpoint = Checkpoint(clip(shot(0, length_s=1.0)), ((1, 1.0, 9.0),))
    closed = Checkpoint.from_json(json.loads(json.dumps(checkpoint.to_json()))).closed(status=Status.TIMEOUT, message="ended after 3 s")
    assert [s.status for s in closed.shots] == [Status.OK, Status.TIMEOUT]
    assert closed.status is Status.OK
    assert closed.shots[1].end_s == 9.0


def test_death_in_the_pictures_costs_the_pictures_alone() -> None:
    closed = Checkpoint(clip(shot(0, length_s=1.0))).closed(status=Status.CRASHED, message="ended by SIGSEGV")
    assert closed.status is Status.OK
    assert "ended by SIGSEGV" in closed.problems[-1]
