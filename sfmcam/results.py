"""What is known about a clip once an estimator ran on it: these values cross from the child process to the store and the reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sfmcam.motion.track_count import TrackCount
from sfmcam.types import Status

# "depth" is sfmcam's own: translation over scene depth, with a noise floor; "probability" what `sfmcam calibrate` made of it;
# "camerabench" the authors': first against last pose
SCORINGS = ("depth", "probability", "camerabench")


@dataclass(frozen=True)
class Seconds:
    """Wall time of the stages of one shot or clip."""

    decode: float = 0.0
    estimate: float = 0.0
    score: float = 0.0
    draw: float = 0.0
    total: float = 0.0


@dataclass(frozen=True)
class ShotResult:
    """One shot under one estimator.

    Attributes:
        index: position in the video, from 0.
        start_s: start in the video.
        end_s: end in the video.
        status: what became of it.
        message: detail behind the status.
        num_frames: frames that the estimator was given.
        num_posed: frames that have a pose.
        focal_px: median focal length in pixels of a picture of `image_size_px`; None where unknown.
        image_size_px: (width, height) that `focal_px` refers to; None where unknown.
        source_size_px: (width, height) of the upright video; None where it was not opened.
        scores: per scoring of `SCORINGS`, 15 numbers by primitive id; empty on failure.
        features: what the probabilities were computed from (`io.feature_document`); empty on failure.
        sentence: how the camera moved, in words; empty on failure.
        motion: the measurement as JSON values; empty on failure.
        evidence: noise and parallax of the trajectory as JSON values; None where the estimator cannot say.
        diagnostics: the estimator's own numbers.
        tracks: how many points the estimator followed, static and moving; None where it has none to show.
        files: names of the files written, relative to the clip's folder.
    """

    index: int
    start_s: float
    end_s: float
    status: Status
    message: str = ""
    num_frames: int = 0
    num_posed: int = 0
    focal_px: float | None = None
    image_size_px: tuple[int, int] | None = None
    source_size_px: tuple[int, int] | None = None
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    features: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""
    motion: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, float | None] = field(default_factory=dict)
    diagnostics: dict[str, float | int | str] = field(default_factory=dict)
    tracks: TrackCount | None = None
    files: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the shot in the video."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class ClipResult:
    """One video under one estimator.

    Where a video has several shots, `main_shot` speaks for it: the longest one that was solved, or the longest one if
    none was (the earliest of equals).

    Attributes:
        clip_id: name of the clip in its set, or the video's stem.
        source: the video file, as given.
        digest: hex digest of the content; empty where it was not read.
        failure: status of a clip that has no shots: its video could not be read, or the process died before.
        failure_message: detail behind `failure`.
        shots: in order of time.
        problems: what could not be decoded or drawn, in sentences.
        seconds: wall time.
        peak_mb: peak resident memory of the child process in MiB; None where it died.
    """

    clip_id: str
    source: str
    digest: str = ""
    failure: Status | None = None
    failure_message: str = ""
    shots: tuple[ShotResult, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: Seconds = field(default_factory=Seconds)
    peak_mb: float | None = None

    def __post_init__(self) -> None:
        if (self.failure is None) == (not self.shots):
            raise ValueError("a clip has either shots or a failure of its own")

    @property
    def main_shot(self) -> ShotResult | None:
        """The shot that speaks for the clip."""
        return max(self.shots, key=lambda s: (s.status.is_success, s.duration_s, -s.index), default=None)

    @property
    def status(self) -> Status:
        """Status of the main shot, or of the whole clip where it has none."""
        if self.failure is not None:
            return self.failure
        assert self.main_shot is not None
        return self.main_shot.status

    @property
    def message(self) -> str:
        """Detail behind the status."""
        return self.main_shot.message if self.main_shot else self.failure_message

    @property
    def num_frames(self) -> int:
        """Frames given to the estimator over all shots."""
        return sum(shot.num_frames for shot in self.shots)

    def scores(self, scoring: str) -> dict[str, float] | None:
        """Return the clip's 15 scores under `scoring`, or None exactly when its status is a failure."""
        return self.main_shot.scores[scoring] if self.main_shot and self.status.is_success else None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `from_json` makes an equal object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ClipResult:
        """Make a result from what `to_json` returned, straight or through JSON text."""
        return cls(
            **{
                **value,
                "failure": None if value["failure"] is None else Status(value["failure"]),
                "shots": tuple(_shot_from_json(shot) for shot in value["shots"]),
                "problems": tuple(value["problems"]),
                "seconds": Seconds(**value["seconds"]),
            }
        )


def failed_clip(clip_id: str, source: str, *, status: Status, message: str) -> ClipResult:
    """Return the result of a clip that did not get as far as its shots."""
    return ClipResult(clip_id, source, failure=status, failure_message=message)


@dataclass(frozen=True)
class Checkpoint:
    """What a child process leaves behind after each shot, so that a death in a later shot or in a picture costs no more than that.

    Attributes:
        result: the clip with the shots done so far.
        pending: (index, start_s, end_s) of the shots to come.
    """

    result: ClipResult
    pending: tuple[tuple[int, float, float], ...] = ()

    def closed(self, *, status: Status, message: str) -> ClipResult:
        """Return the result after a death: its reason goes to the pending shots, or to the pictures where no shot was left."""
        if not self.pending:
            return replace(self.result, problems=(*self.result.problems, f"No picture was drawn: {message}"))
        lost = tuple(ShotResult(index, start_s, end_s, status, message) for index, start_s, end_s in self.pending)
        return replace(self.result, shots=self.result.shots + lost)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `from_json` makes an equal object."""
        return {"result": self.result.to_json(), "pending": self.pending}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Checkpoint:
        """Make a checkpoint from what `to_json` returned, straight or through JSON text."""
        return cls(ClipResult.from_json(value["result"]), tuple((index, start_s, end_s) for index, start_s, end_s in value["pending"]))


def _shot_from_json(value: dict[str, Any]) -> ShotResult:
    if value["scores"] and set(value["scores"]) != set(SCORINGS):
        raise ValueError(f"the scorings are {', '.join(value['scores'])}, not {', '.join(SCORINGS)}")
    return ShotResult(
        **{
            **value,
            "status": Status(value["status"]),
            "image_size_px": _pair(value["image_size_px"]),
            "source_size_px": _pair(value["source_size_px"]),
            "tracks": None if value.get("tracks") is None else TrackCount(**value["tracks"]),
            "files": tuple(value["files"]),
        }
    )


def _pair(size: list[int] | None) -> tuple[int, int] | None:
    return None if size is None else (size[0], size[1])
