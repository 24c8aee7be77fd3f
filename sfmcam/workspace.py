"""The names of everything that is written; no other module makes up an output path (docs/outputs.md has the tree)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sfmcam.errors import InputError

BEST_SCORING = "probability"  # of `results.SCORINGS`

SHOT_FILES = (
    "trajectory.tum",
    "trajectory.npz",
    "motion.json",
    "scores.json",
    "points.ply",
    "depth.npz",
    "tracks.npz",
    "trajectory.png",
    "motion.png",
    "tracks.png",
)


@dataclass(frozen=True)
class ShotFolder:
    """Files of one shot."""

    root: Path

    def files(self, *, relative_to: Path) -> tuple[str, ...]:
        """Return the names of those files that are there, relative to the clip's folder."""
        present = [self.root / name for name in SHOT_FILES if (self.root / name).is_file()]
        return tuple(str(path.relative_to(relative_to)) for path in present)

    @property
    def motion(self) -> Path:
        """Status, sentence and measurement."""
        return self.root / "motion.json"

    @property
    def trajectory(self) -> Path:
        """Poses, focal length and depth, in sfmcam's own format."""
        return self.root / "trajectory.npz"

    @property
    def scores(self) -> Path:
        """The 15 scores under every scoring."""
        return self.root / "scores.json"

    @property
    def points(self) -> Path:
        """Scene points, where the estimator has some."""
        return self.root / "points.ply"

    @property
    def depth(self) -> Path:
        """Dense depth of the keyframes."""
        return self.root / "depth.npz"

    @property
    def tracks(self) -> Path:
        """The picture points that the estimator followed, where it has some."""
        return self.root / "tracks.npz"

    @property
    def picture(self) -> Path:
        """The path in space."""
        return self.root / "trajectory.png"

    @property
    def motion_picture(self) -> Path:
        """The degrees of freedom over time."""
        return self.root / "motion.png"

    @property
    def tracks_picture(self) -> Path:
        """Some frames with the tracks through them."""
        return self.root / "tracks.png"


@dataclass(frozen=True)
class ClipFolder:
    """Files of one video under one estimator."""

    root: Path

    def shot(self, index: int, *, num_shots: int) -> ShotFolder:
        """Return the folder of one shot: the clip's own when it is the only one."""
        return ShotFolder(self.root if num_shots == 1 else self.root / f"shot_{index + 1:02d}")

    @property
    def log(self) -> Path:
        """What the child process printed, native libraries included."""
        return self.root / "run.log"

    def make_empty(self) -> None:
        """Make the folder and remove the files of an earlier run; whatever else lies in it stays.

        Raises:
            InputError: it cannot be made or written.
        """
        make_folder(self.root)
        for folder in [self.root, *self.root.glob("shot_[0-9][0-9]*")]:
            for name in SHOT_FILES:
                (folder / name).unlink(missing_ok=True)
            if folder != self.root and not any(folder.iterdir()):
                folder.rmdir()


@dataclass(frozen=True)
class BenchFolder:
    """Files of a run over a labelled set."""

    root: Path

    @property
    def store(self) -> Path:
        """Every finished (estimator, clip), for resuming."""
        return self.root / "runs.sqlite"

    @property
    def lock(self) -> Path:
        """Held while a run writes here."""
        return self.root / ".lock"

    @property
    def scratch(self) -> Path:
        """Temporary files of the child processes; removed clip by clip, and what a killed run left at the next start."""
        return self.root / ".scratch"

    @property
    def results_json(self) -> Path:
        """Every figure of the run."""
        return self.root / "results.json"

    @property
    def results_md(self) -> Path:
        """The tables of the run."""
        return self.root / "results.md"

    def clip(self, slug: str, clip_id: str) -> ClipFolder:
        """Files of one clip under the estimator `slug`."""
        return ClipFolder(self.root / slug / "clips" / clip_id)

    def scores(self, slug: str, scoring: str) -> Path:
        """Folder of the 15 score files: `scores` holds the scoring that ranks best, `scores_<scoring>` any other."""
        return self.root / slug / ("scores" if scoring == BEST_SCORING else f"scores_{scoring}")


def compare_picture(folder: Path, clip: str) -> Path:
    """Return where the picture of a compared clip goes."""
    return folder / f"{clip}_compare.png"


@dataclass(frozen=True)
class ReportFolder:
    """Files of a report on a run."""

    root: Path

    @property
    def page(self) -> Path:
        """The page to open."""
        return self.root / "index.html"

    @property
    def markdown(self) -> Path:
        """Its tables as Markdown."""
        return self.root / "report.md"

    @property
    def leaderboard(self) -> Path:
        """A row per method."""
        return self.root / "leaderboard.csv"

    @property
    def primitives(self) -> Path:
        """A row per method and primitive."""
        return self.root / "per_primitive.csv"

    @property
    def clip_table(self) -> Path:
        """A row per clip and method."""
        return self.root / "clips.csv"

    @property
    def assets(self) -> Path:
        """Style and scripts of the page."""
        return self.root / "assets"

    @property
    def strips(self) -> Path:
        """A picture of six moments per video."""
        return self.root / "strips"

    @property
    def data(self) -> Path:
        """What the page reads when it needs it."""
        return self.root / "data"

    @property
    def clips(self) -> Path:
        """The list of clips."""
        return self.data / "clips.js"

    @property
    def figures(self) -> Path:
        """The curves."""
        return self.data / "figures.js"

    def clip(self, number: int) -> Path:
        """What the page reads when the clip of that number in the list is opened."""
        return self.data / "clips" / f"{number}.js"


def make_folder(folder: Path) -> None:
    """Make `folder` with its parents and check that files can be made in it.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {reason(error)}; choose another with --out") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write into the folder {folder}: permission denied; choose another with --out")


def reason(error: OSError) -> str:
    """Return why an operation of the system failed, without its number and path."""
    return (error.strerror or str(error)).lower()
