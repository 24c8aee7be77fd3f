"""A run of `sfmcam bench`, finished or not, or a folder of score files alone, opened for its report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sfmcam.batch.store import RunStore
from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import Clip, LabelledSet, LabelRow
from sfmcam.datasets.questions import QUESTIONS
from sfmcam.datasets.registry import load_dataset
from sfmcam.errors import InputError, ScoreFileError
from sfmcam.evaluation.pool import pool_from_scores
from sfmcam.io.paths import clip_id, is_file, is_folder
from sfmcam.io.score_file import NOT_RUN
from sfmcam.io.score_reader import MethodScores, ScoreRow, read_score_dir
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT
from sfmcam.results import SCORINGS, ClipResult
from sfmcam.workspace import BenchFolder

Results = dict[str, dict[str, ClipResult]]  # method slug -> clip id -> result
Entry = dict[str, Any]  # a clip's line of manifest.json


UNFINISHED = "The run has not come to its end."
SCORES_ALONE = "Made of score files alone, without a run of `sfmcam bench`: of times, paths and sentences nothing is known."


@dataclass(frozen=True)
class Run:
    """What `sfmcam bench` left.

    Attributes:
        folder: where its files are.
        made: `sfmcam_version`, `command` and `finished` of results.json; empty for a run that did not end.
        scoring: whose scores are reported.
        labelled_set: the clips of the run and their labels; the videos of the clips need not be there any more.
        results: what is kept of every method.
        scores: per method, in the order of `results`, its scores.
        manifest: clip id -> what the set's manifest.json says of it; empty where there is none.
        notes: sentences on what is not as it should be.
        origin: what there is instead of `made`, in a sentence; empty for a finished run.
    """

    folder: BenchFolder
    made: dict[str, str]
    scoring: str
    labelled_set: LabelledSet
    results: Results
    scores: tuple[MethodScores, ...]
    manifest: dict[str, Entry]
    notes: tuple[str, ...]
    origin: str = ""


def open_run(root: Path, *, scoring: str | None = None, labels: str | None = None) -> Run:
    """Open the folder that `sfmcam bench` was given as --out, or a folder that has score files alone.

    Args:
        root: the folder.
        scoring: one of `SCORINGS`; without it, the one that the run was shown under. Of no effect on score files alone.
        labels: name or folder of the labelled set, where it has moved since the run, or where score files do not say what is true.

    Raises:
        InputError: `root` is neither, nothing of the run has ended, or its files cannot be used.
    """
    folder = BenchFolder(root)
    if not is_folder(root, refuse=InputError):
        raise InputError(f"there is no folder {root}; give the --out of `sfmcam bench`")
    whole = None if labels is None else load_dataset(labels, allow_missing=True)
    if not is_file(folder.store, refuse=InputError):
        return _scores_alone(folder, whole)
    results = _read_store(folder)
    if is_file(folder.results_json, refuse=InputError):
        return _finished(folder, results, scoring=scoring, home=whole.root if whole else _home(results))
    if not any(results.values()):
        raise InputError(f"nothing has ended in {root} yet: no clip of any method; run `sfmcam bench -o {root}` first")
    return _unfinished(folder, results, scoring=scoring or SCORINGS[1], whole=whole or _load_home(folder, _home(results)))


def _read_store(folder: BenchFolder) -> Results:
    with RunStore(folder.store) as store:
        return {slug: {name: result for name, (_, result) in store.results(slug).items()} for slug in store.slugs()}


def _home(results: Results) -> Path | None:
    """Return the root of the labelled set, as the run's own paths to its videos have it; None for a run without a video."""
    sources = (result.source for clips in results.values() for result in clips.values())
    first = next(sources, None)
    return None if first is None else Path(first).parent.parent


def _load_home(folder: BenchFolder, home: Path | None) -> LabelledSet:
    if home is None or not is_folder(home, refuse=InputError):
        raise InputError(f"{folder.root} is an unfinished run, and its labelled set is no longer in {home}; name the set with --labels")
    return load_folder(home, allow_missing=True)


def _scores_alone(folder: BenchFolder, whole: LabelledSet | None) -> Run:
    """Return methods of which nothing is known but their scores."""
    try:
        scores = read_score_dir(folder.root)
    except ScoreFileError as error:
        what = f"{folder.root} is neither a run of `sfmcam bench` (it has no {folder.store.name}) nor has it score files"
        raise InputError(f"{what}: {error}") from error
    if whole is None:
        pool = pool_from_scores(scores)
        rows = {
            split: {v: ScoreRow(v, bool(label), 0.0, None) for v, label in zip(task.videos, task.labels, strict=True)}
            for split, task in pool.tasks.items()
        }
        whole = LabelledSet(folder.root.resolve().name, folder.root, (), _label_rows(rows))
    scorings = sorted({method.scoring for method in scores if method.scoring})
    manifest = _read_manifest(whole.root)
    return Run(folder, {}, ", ".join(scorings) or "as in the score files", whole, {}, scores, manifest, (), origin=SCORES_ALONE)


def _finished(folder: BenchFolder, results: Results, *, scoring: str | None, home: Path | None) -> Run:
    document = _read_document(folder)
    scoring = scoring or document["scoring"]
    listed = {method["slug"]: method["clips"] for method in document["methods"]}
    scores = tuple(_of_method(folder, slug, scoring) for slug in listed)
    rows = scores[0].rows  # every method has a row for every label
    videos = {clip_id(Path(video)): video for task in rows.values() for video in task}
    root = home or folder.root  # without any video there is nothing to look for beside them
    labelled_set = LabelledSet(document["dataset"]["name"], root, _clips(root, videos, results), _label_rows(rows))
    told = {slug: {name: result for name, result in results.get(slug, {}).items() if name in clips} for slug, clips in listed.items()}
    more = sum(map(len, results.values())) - sum(map(len, told.values()))
    late = f"{more} results came after {folder.results_json.name} and are not in this report; run `sfmcam bench` to its end to have them."
    return Run(
        folder=folder,
        made={key: str(document[key]) for key in ("sfmcam_version", "command", "finished")},
        scoring=scoring,
        labelled_set=labelled_set,
        results=told,
        scores=scores,
        manifest=_read_manifest(root),
        notes=(late,) if more else (),
    )


def _unfinished(folder: BenchFolder, results: Results, *, scoring: str, whole: LabelledSet) -> Run:
    ended = {name for clips in results.values() for name in clips}
    part = restricted(whole, ended)
    counts = ", ".join(f"{slug} {len(clips)}" for slug, clips in results.items())
    note = (
        f"The run is unfinished: {len(ended)} of {len(whole.clips)} clips are there ({counts}). Every figure is about those clips; "
        f"what a method has not reached of them counts as a failure ({NOT_RUN})."
    )
    scores = tuple(_scores_of(slug, clips, part, scoring=scoring, folder=folder) for slug, clips in results.items())
    return Run(folder, {}, scoring, part, results, scores, _read_manifest(whole.root), (note,), origin=UNFINISHED)


def restricted(labelled_set: LabelledSet, clips: Iterable[str]) -> LabelledSet:
    """Return the set with the named clips and their labels only."""
    names = set(clips)
    rows = {split: tuple(row for row in rows if clip_id(Path(row.video)) in names) for split, rows in labelled_set.rows.items()}
    return replace(labelled_set, clips=tuple(clip for clip in labelled_set.clips if clip.id in names), rows=rows)


def _of_method(folder: BenchFolder, slug: str, scoring: str) -> MethodScores:
    found = read_score_dir(folder.scores(slug, scoring))
    return replace(found[0], name=slug)


def _scores_of(slug: str, clips: Mapping[str, ClipResult], part: LabelledSet, *, scoring: str, folder: BenchFolder) -> MethodScores:
    """Return what the score files of a method would hold, had the run come to its end."""
    rows: dict[str, dict[str, ScoreRow]] = {}
    for split, labels in part.rows.items():
        primitive = PRIMITIVE_BY_SPLIT[split]
        for label in labels:
            result = clips.get(clip_id(Path(label.video)))
            if result is None:
                continue
            scores = result.scores(scoring)
            score, error = (scores[primitive.id], None) if scores is not None else (float("nan"), result.status.value)
            rows.setdefault(split, {})[label.video] = ScoreRow(label.video, label.label, score, error)
    source = folder.scores(slug, scoring)
    return MethodScores(slug, "geometry", source, rows, model=slug, scoring=scoring, source=source)


def _label_rows(rows: Mapping[str, Mapping[str, ScoreRow]]) -> dict[str, tuple[LabelRow, ...]]:
    made = {}
    for split, task in rows.items():
        words = QUESTIONS[PRIMITIVE_BY_SPLIT[split].id]
        made[split] = tuple(LabelRow(video, words.question, bool(row.label), words.task, words.label_name) for video, row in task.items())
    return made


def _clips(home: Path, videos: Mapping[str, str], results: Results) -> tuple[Clip, ...]:
    """Return the clips that were run, with their reference paths where the set still has them."""
    ran = {name: result.source for clips in results.values() for name, result in clips.items()}
    return tuple(_clip(home, name, Path(ran[name])) for name in sorted(videos.keys() & ran.keys()))


def _clip(home: Path, name: str, source: Path) -> Clip:
    poses, intrinsics = home / "poses" / f"{name}.tum", home / "intrinsics" / f"{name}.txt"
    moved = home / "videos" / source.name
    path = source if source.exists() or not moved.exists() else moved
    return Clip(name, path, poses if poses.is_file() else None, intrinsics if intrinsics.is_file() else None)


def _read_document(folder: BenchFolder) -> dict[str, Any]:
    path = folder.results_json
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        methods = [(method["slug"], method["clips"].keys()) for method in document["methods"]]
        document["dataset"]["name"], document["scoring"], document["sfmcam_version"], document["command"], document["finished"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not what `sfmcam bench` writes ({type(error).__name__}: {error}); run it again") from error
    if not methods:
        raise InputError(f"{path} holds no method; run `sfmcam bench` again")
    return document


def _read_manifest(home: Path) -> dict[str, Entry]:
    path = home / "manifest.json"
    if not path.is_file():
        return {}
    try:
        return {str(entry["id"]): dict(entry) for entry in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is no list of clips with an 'id' each ({type(error).__name__}: {error})") from error
