"""Do the labels of a rendered set agree with `motion` applied to the true poses? Every sure label of every clip, one by one.

    python benchmarks/label_truth.py SET NAME [--limit N] [--results FOLDER]

Writes results/NAME.json. Labels follow from the curves that the camera was told; `motion.measure` sees poses, focal lengths and depth
only, and knows neither curves nor which motion is shake. A label agrees where the measured rise (or fall) lies on its side of the middle of
the unsure band, the geometric mean of both thresholds; it agrees strictly where it lies outside the band. `static` agrees where the camera
as it was, shake included, moves the picture by nothing (yes) or by half a pixel (no).

Every label that disagrees is named, with the reason where it is known (`_reason`).

Beside it stand what `motion` makes of the true poses: AP of its scores, which is what an estimator without any error would get, and
whether `motion.describe` tells what is labelled. A sentence leaves out small motions beside large ones and tells what is large enough to be
seen, so it may differ from a label without either being wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from set_tables import label_truth as table

from sfmcam.datasets.synthetic.camera_path import picture_motion_px
from sfmcam.datasets.synthetic.labels import Thresholds, largest_rise
from sfmcam.datasets.synthetic.stored_truth import ManifestEntry, StoredTruth, read_manifest, read_truth
from sfmcam.errors import SfmcamError
from sfmcam.evaluation.average_precision import average_precision, rank_failed_last, undefined_because
from sfmcam.motion.legs import find_legs
from sfmcam.motion.measure import measure
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES, ROTATION_DOFS, Primitive
from sfmcam.motion.score import score_primitives
from sfmcam.types import CameraTrajectory, Evidence

EXACT = Evidence(rotation_sigma_rad=0.0, translation_sigma=0.0, log_focal_sigma=0.0)
COUPLED = 0.5  # share of a measured turn that the product of the other two must be at least, to be what made it
STILL_PX = 1e-3  # what rounding leaves of a path that does not move


@dataclass(frozen=True)
class Verdict:
    """One sure label of one clip.

    Attributes:
        clip: its id.
        primitive: which of the 15.
        label: yes or no.
        measured: what `motion` measured, over the threshold from which it is a yes; for `static`, in pixels.
        agrees: on the label's side of the middle of the unsure band.
        strictly: on the label's side of the whole band.
        told: whether the sentence tells the motion; None for `static`.
        score: of `motion.score`.
        reason: why it disagrees, where that is known (`_reason`).
    """

    clip: str
    primitive: str
    label: str
    measured: float
    agrees: bool
    strictly: bool
    told: bool | None
    score: float
    reason: str = ""


def exact_trajectory(truth: StoredTruth) -> CameraTrajectory:
    """Return the true path with the scene's true median depth of each frame, and no uncertainty."""
    depth = truth.depth_m.reshape(len(truth), -1)
    return replace(truth.trajectory, median_depth=np.nanmedian(depth, axis=1), evidence=EXACT)


def judge(truth: StoredTruth, entry: ManifestEntry, thresholds: Thresholds) -> list[Verdict]:
    """Return the verdict on every sure label of a clip."""
    measurement = measure(exact_trajectory(truth))
    scores = score_primitives(measurement)
    told = {(leg.dof, int(np.sign(leg.amount))) for leg in find_legs(measurement)}
    verdicts = []
    for primitive in PRIMITIVES:
        label = entry["labels"][primitive.id]
        if label == "unsure":
            continue
        if primitive.dof is None:
            moved = _moved_px(measurement, truth)
            agrees = moved < STILL_PX if label == "yes" else moved >= thresholds.still_no_px
            verdicts.append(Verdict(truth.id, primitive.id, label, moved, agrees, agrees, None, scores[primitive.id]))
            continue
        measured, middle, strict = _measured(measurement, primitive, thresholds)
        is_yes = label == "yes"
        agrees = (measured > middle) == is_yes
        verdicts.append(
            Verdict(
                truth.id,
                primitive.id,
                label,
                measured,
                agrees=agrees,
                strictly=measured >= 1 if is_yes else measured <= strict,
                told=(primitive.dof, primitive.sign) in told,
                score=scores[primitive.id],
                reason="" if agrees else _reason(measurement, primitive, thresholds, is_yes=is_yes),
            )
        )
    return verdicts


def _measured(measurement: MotionMeasurement, primitive: Primitive, thresholds: Thresholds) -> tuple[float, float, float]:
    """Return rise or fall, the middle of the band, and its lower end, all over the threshold of a yes."""
    assert primitive.dof is not None
    no, yes = thresholds.bounds(primitive.dof)
    extent = (measurement.rise if primitive.sign > 0 else measurement.fall)[primitive.dof]
    return float(extent / yes), float(np.sqrt(no / yes)), float(no / yes)


def _reason(measurement: MotionMeasurement, primitive: Primitive, thresholds: Thresholds, *, is_yes: bool) -> str:
    """Return why a label and the measurement of a direction disagree, or "".

    - two turns make a third: labels see the rotation vector from the first frame, the measurement the sum of the steps' own. Where a camera
      turns about two axes by a and b, the second goes up to a b about the third axis, and the first none. Both readings are right.
    - brief: the motion is there, but the measurement's smoothing, which takes shake away, takes a part of it too.
    """
    assert primitive.dof is not None
    if primitive.dof in ROTATION_DOFS and not is_yes:
        extent = (measurement.rise if primitive.sign > 0 else measurement.fall)[primitive.dof]
        others = [measurement.extent[dof] for dof in ROTATION_DOFS if dof is not primitive.dof]
        return "two turns make a third" if others[0] * others[1] >= COUPLED * extent else ""
    if is_yes:
        whole = largest_rise(primitive.sign * measurement.path[measurement.valid, primitive.dof])
        return "brief" if whole >= thresholds.bounds(primitive.dof)[1] else ""
    return ""


def _moved_px(measurement: MotionMeasurement, truth: StoredTruth) -> float:
    return picture_motion_px(np.nan_to_num(measurement.path), float(truth.trajectory.focal_px.max()), truth.size_px)


def condense(verdicts: Sequence[Verdict], entries: Sequence[ManifestEntry]) -> Figure:
    """Return the figures of a set."""
    unsure = sum(label == "unsure" for entry in entries for label in entry["labels"].values())
    rated = {p.id: _rated([v for v in verdicts if v.primitive == p.id]) for p in PRIMITIVES}
    known = [figures["ap"] for figures in rated.values() if figures["ap"] is not None]
    return {
        "set": {"clips": len(entries), "first": entries[0]["id"], "last": entries[-1]["id"]},
        "labels": {"sure": len(verdicts), "unsure": unsure},
        "all": _rated(verdicts) | {"ap": float(np.mean(known)) if known else None},
        "primitives": rated,
        "disagreements": [_named(v) for v in verdicts if not v.agrees],
        "within_the_band": [_named(v) for v in verdicts if v.agrees and not v.strictly],
        "sentences": [_named(v) for v in verdicts if v.told is not None and v.told != (v.label == "yes")],
    }


def _rated(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    positive = np.array([v.label == "yes" for v in verdicts], bool)
    scores = np.array([v.score for v in verdicts])
    ap = None if not len(verdicts) or undefined_because(positive) else average_precision(positive, rank_failed_last(scores))
    spoken = [v for v in verdicts if v.told is not None]
    return {
        "yes": int(positive.sum()),
        "no": int((~positive).sum()),
        "agree": sum(v.agrees for v in verdicts),
        "strictly": sum(v.strictly for v in verdicts),
        "yes_told": sum(bool(v.told) for v in spoken if v.label == "yes"),
        "no_told": sum(bool(v.told) for v in spoken if v.label == "no"),
        "ap": ap,
    }


def _named(verdict: Verdict) -> dict[str, Any]:
    return {key: value for key, value in asdict(verdict).items() if key in ("clip", "primitive", "label", "measured", "told", "reason")}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="a random set that `sfmcam data synthetic --clips N` rendered")
    parser.add_argument("name", help="name of the file in results/, without its suffix")
    parser.add_argument("--limit", type=int, help="only the first so many clips")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    try:
        entries = list(read_manifest(given.set).values())[: given.limit]
        verdicts = [v for entry in entries for v in judge(read_truth(given.set, entry), entry, Thresholds())]
        figure = rounded(figure_of_machine("label_truth", condense(verdicts, entries)))
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    print_rows(table(figure))
    for word in ("disagreements", "within_the_band", "sentences"):
        print(f"{word.replace('_', ' ')}: {len(figure[word])}")
        for v in figure[word]:
            told = (", told" if v["told"] else "") + (f" ({v['reason']})" if v["reason"] else "")
            print(f"  {v['clip']}: {v['primitive']} {v['label']}, measured {v['measured']:.2f}{told}")
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
