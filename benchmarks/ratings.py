"""Mean average precision over parts of a labelled set, each rated as a set of its own."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean
from typing import Any

from run_folder import Run, restricted

from sfmcam.evaluation.leaderboard import MethodResult, leaderboard
from sfmcam.motion.primitive import PRIMITIVES

RESAMPLES = 500
ZOOM, DOLLY = ("Zoom_In", "Zoom_Out"), ("Move_In", "Move_Out")
MOVER_LEAST, MOVER_MOST = 0.08, 0.60  # share of the picture, averaged over the clip
STEADINESS = {"static": "locked off", "smooth": "smooth", "shaky": "shaky"}

Groups = dict[str, tuple[str, ...]]


def kinds_of(run: Run) -> Groups:
    """Return the clips by where they come from (real, generated, rendered), where the set's manifest says so and they differ."""
    groups = _by(run, "kind")
    return groups if len(groups) > 1 else {}


def groups_of(run: Run) -> Groups:
    """Return the parts of the set that its manifest tells apart: all, kinds, with and without a mover, steadiness, named subsets."""
    groups = {"all": tuple(clip.id for clip in run.labelled_set.clips)}
    groups |= kinds_of(run)
    groups |= dict(_movers(run))
    groups |= {f"camera {STEADINESS.get(key, key)}": clips for key, clips in _by(run, "steadiness").items()}
    for name in dict.fromkeys(subset for entry in _entries(run).values() for subset in entry.get("subsets", ())):
        groups[name] = tuple(clip for clip, entry in _entries(run).items() if name in entry.get("subsets", ()))
    return {name: clips for name, clips in groups.items() if clips}


def rate_groups(run: Run, groups: Groups, *, scoring: str) -> dict[str, Any]:
    """Return per group its size, the primitives left out of its mean, and per method the mean `AP_all` with its parts.

    A primitive without a positive or without a negative in a group cannot be rated there: it is left out of the mean, and named.
    """
    methods = [run.scores(slug, scoring) for slug in run.slugs]
    rated: dict[str, Any] = {}
    for name, clips in groups.items():
        part = restricted(run.labelled_set, clips)
        if not part.num_rows:
            rated[name] = {"clips": len(clips), "positives": {}, "left_out": [p.split_name for p in PRIMITIVES], "methods": {}}
            continue
        board = leaderboard(methods, part, resamples=RESAMPLES, with_published=False)
        counts = {p.split_name: board.pool.counts.get(p.split_name, (0, 0))[1] for p in PRIMITIVES}
        rated[name] = {
            "clips": len(clips),
            "positives": counts,
            "left_out": [split for split in counts if split in board.unrated or split not in board.pool.tasks],
            "methods": {slug: _rated(result) for slug, result in zip(run.slugs, board.methods, strict=True)},
        }
    return rated


def _rated(result: MethodResult) -> dict[str, Any]:
    ap = {split: task.all.ap for split, task in result.tasks.items() if task.all.ap == task.all.ap}
    return {
        "mean_ap_all": result.mean_all.ap,
        "interval": list(result.mean_all.interval),
        "mean_ap_answered": result.mean_answered.ap,
        "zoom": _mean_of(ap, ZOOM),
        "dolly": _mean_of(ap, DOLLY),
        "ap_all": ap,
    }


def _mean_of(ap: dict[str, float], splits: tuple[str, ...]) -> float | None:
    known = [ap[split] for split in splits if split in ap]
    return mean(known) if known else None


def _entries(run: Run) -> dict[str, dict[str, Any]]:
    return {clip.id: run.manifest[clip.id] for clip in run.labelled_set.clips if clip.id in run.manifest}


def _by(run: Run, key: str) -> Groups:
    values = dict.fromkeys(entry[key] for entry in _entries(run).values() if key in entry)
    return {value: tuple(clip for clip, entry in _entries(run).items() if entry.get(key) == value) for value in values}


def _movers(run: Run) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the clips by the share of the picture that moves by itself; a hand-labelled set knows only whether it dominates."""
    shares = {clip: entry["mover_share"] for clip, entry in _entries(run).items() if "mover_share" in entry}
    if not shares:
        yield "moving subject dominates", tuple(c for c, e in _entries(run).items() if e.get("moving_subject_dominates") == "yes")
        return
    yield "no mover", tuple(clip for clip, share in shares.items() if share == 0)
    yield "mover below 8 %", tuple(clip for clip, share in shares.items() if 0 < share < MOVER_LEAST)
    yield "mover 8-60 %", tuple(clip for clip, share in shares.items() if MOVER_LEAST <= share <= MOVER_MOST)
    yield "mover above 60 %", tuple(clip for clip, share in shares.items() if share > MOVER_MOST)
