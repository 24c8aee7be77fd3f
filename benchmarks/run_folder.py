"""A finished run of `sfmcam bench`, opened again together with the labelled set that it was made on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sfmcam.batch.store import RunStore
from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import Clip, LabelledSet
from sfmcam.errors import InputError
from sfmcam.io.paths import clip_id
from sfmcam.io.score_reader import MethodScores, read_score_dir
from sfmcam.results import ClipResult
from sfmcam.workspace import BenchFolder, ClipFolder

Entry = dict[str, Any]  # a clip's line of manifest.json


@dataclass(frozen=True)
class Run:
    """A run with its labelled set.

    Attributes:
        folder: where its files are.
        results: what its results.json holds.
        labelled_set: the clips that were run, and their labels only.
        manifest: clip id -> what the set's manifest.json says of it; empty where the set has none.
    """

    folder: BenchFolder
    results: dict[str, Any]
    labelled_set: LabelledSet
    manifest: dict[str, Entry]

    @property
    def slugs(self) -> tuple[str, ...]:
        """The methods, in the order of the run."""
        return tuple(method["slug"] for method in self.results["methods"])

    @property
    def scorings(self) -> tuple[str, ...]:
        """The scorings that the run knows."""
        return tuple(self.results["leaderboards"])

    @cached_property
    def clips(self) -> dict[str, dict[str, ClipResult]]:
        """Method slug -> clip id -> result with the time of every stage, from the run store; clips of the set only."""
        known = {clip.id for clip in self.labelled_set.clips}
        with RunStore(self.folder.store) as store:
            kept = {slug: store.results(slug) for slug in self.slugs}
        return {slug: {name: result for name, (_, result) in of_slug.items() if name in known} for slug, of_slug in kept.items()}

    def scores(self, slug: str, scoring: str) -> MethodScores:
        """Return the score files of one method.

        Raises:
            ScoreFileError: they are not there, or malformed.
        """
        return read_score_dir(self.folder.scores(slug, scoring))[0]

    def trajectory(self, slug: str, clip: str) -> Path | None:
        """Return the trajectory file of the shot that speaks for a clip; None where the clip failed."""
        result = self.clips[slug][clip]
        shot = result.main_shot
        if shot is None or not result.status.is_success:
            return None
        return ClipFolder(self.folder.clip(slug, clip).root).shot(shot.index, num_shots=len(result.shots)).trajectory

    def clip(self, name: str) -> Clip:
        """Return a clip of the set by its id."""
        return next(clip for clip in self.labelled_set.clips if clip.id == name)


def open_run(root: Path, labels: Path | None = None) -> Run:
    """Open a run folder.

    Args:
        root: the folder that `sfmcam bench` was given as --out.
        labels: the labelled set that was run; without it, the folder that the videos of the run came from.

    Raises:
        InputError: there is no finished run, or the set cannot be read.
    """
    folder = BenchFolder(root)
    results = _read_results(folder)
    ran = {name for method in results["methods"] for name in method["clips"]}
    source = labels or _source_of(folder, results)
    labelled_set = load_folder(source, allow_missing=True)
    unknown = sorted(ran - {clip.id for clip in labelled_set.clips} - {clip_id(Path(video)) for video in labelled_set.videos})
    if unknown:
        raise InputError(f"{source} has no clip '{unknown[0]}', which {root} is about; name the set of that run with --labels")
    return Run(folder, results, restricted(labelled_set, ran), _read_manifest(source))


def restricted(labelled_set: LabelledSet, clips: Iterable[str]) -> LabelledSet:
    """Return the set with the named clips and their labels only."""
    names = set(clips)
    rows = {split: tuple(row for row in rows if clip_id(Path(row.video)) in names) for split, rows in labelled_set.rows.items()}
    return replace(labelled_set, clips=tuple(clip for clip in labelled_set.clips if clip.id in names), rows=rows)


def _read_results(folder: BenchFolder) -> dict[str, Any]:
    path = folder.results_json
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); run `sfmcam bench SET -o {folder.root}` to its end first") from error
    return results


def _source_of(folder: BenchFolder, results: dict[str, Any]) -> Path:
    """Return the root of the set, as the run's own paths to its videos have it."""
    slug = results["methods"][0]["slug"]
    with RunStore(folder.store) as store:
        sources = [result.source for _, result in store.results(slug).values()]
    if not sources:
        raise InputError(f"{folder.store} holds no clip of {slug}; run `sfmcam bench` again")
    root = Path(sources[0]).parent.parent
    if not root.is_dir():
        raise InputError(f"the videos of {folder.root} are no longer in {root}; name their labelled set with --labels")
    return root


def _read_manifest(root: Path) -> dict[str, Entry]:
    path = root / "manifest.json"
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {entry["id"]: entry for entry in entries}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is no list of clips with an 'id' each ({type(error).__name__}: {error})") from error
