"""Is the truth of a rendered set true? Pictures against the stored poses, focal lengths and depths, by two independent looks.

    python benchmarks/truth.py SET NAME [--limit N] [--seed S] [--results FOLDER]

Writes results/NAME.json. Up to three pairs of frames of each clip are compared, as far apart as the scene moves by 6 pixels:

- tracker: OpenCV's pyramidal Lucas-Kanade follows points of the static scene forth and back, knowing nothing of the truth;
- photometric: the second picture is warped back by the truth, and patches of it are aligned to the first by correlation.

Both medians must stay below 0.3 px. Points are chosen by the truth and by texture, never by the outcome (picture_agreement.py). Noise and
coding move a picture's content without the truth being wrong: a clip that is above, or too dark to have texture, is drawn again
without both and measured once more, and the table says so; one that is still above, without motion blur too. Last, all errors are
explained by a principal point, a focal length and a depth that would be wrong, in all clips and in those without motion blur: a
half-pixel slip would stand there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from clip_agreement import ClipAgreement, agreement, drawn_again, frame_pairs, median_length, read_pictures, recipe_of
from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from set_tables import truth as table
from systematic import explain

from sfmcam.datasets.synthetic.stored_truth import ManifestEntry, read_manifest, read_truth, set_seed
from sfmcam.datasets.synthetic.writer import clip_files
from sfmcam.errors import SfmcamError
from sfmcam.types import UInt8

LIMIT_PX = 0.3
CRF_RANGES = ((18, 23), (24, 28), (29, 34))  # from fine to coarse coding


def gray(picture: UInt8) -> UInt8:
    """Return the grey picture (H, W) of (H, W, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def compare(folder: Path, entries: Sequence[ManifestEntry], *, seed: int) -> Figure:
    """Return the figures of a rendered set."""
    as_shown, as_drawn, as_sharp = {}, {}, {}
    for entry in entries:
        truth = read_truth(folder, entry)
        frames = {frame for pair in frame_pairs(truth) for frame in pair}
        shown = agreement(truth, read_pictures(clip_files(folder, truth.id)[0], frames), noise=float(entry["noise"]))
        as_shown[truth.id] = shown
        if not (shown.is_measured and shown.tracker_median_px < LIMIT_PX and shown.photometric_median_px < LIMIT_PX):
            recipe = recipe_of(entry, seed)
            again = as_drawn[truth.id] = agreement(truth, drawn_again(recipe, frames, gray=gray), noise=0.0)
            if again.is_measured and not _holds(again) and recipe.shutter:
                as_sharp[truth.id] = agreement(truth, drawn_again(replace(recipe, shutter=0.0), frames, gray=gray), noise=0.0)
    sharp = [as_shown[entry["id"]] for entry in entries if not entry["shutter"]]
    return {
        "set": {"clips": len(entries), "first": entries[0]["id"], "last": entries[-1]["id"]},
        "limit_px": LIMIT_PX,
        "groups": {name: _group([as_shown[clip] for clip in clips]) for name, clips in _groups(entries).items()},
        "systematic": explain(list(as_shown.values())),
        "systematic_without_blur": explain(sharp),
        "drawn_again": [_twice(as_shown[e["id"]], as_drawn[e["id"]], e) for e in entries if e["id"] in as_drawn],
        "drawn_without_blur": [_sharp(clip) for clip in as_sharp.values()],
        "still_above": [clip for clip, again in (as_drawn | as_sharp).items() if again.is_measured and not _holds(again)],
        "never_measured": [clip for clip, again in as_drawn.items() if not again.is_measured],
    }


def _holds(clip: ClipAgreement) -> bool:
    return clip.tracker_median_px < LIMIT_PX and clip.photometric_median_px < LIMIT_PX


def _groups(entries: Sequence[ManifestEntry]) -> dict[str, list[str]]:
    names = dict.fromkeys(name for entry in entries for name in entry["subsets"])
    tests: dict[str, Callable[[ManifestEntry], bool]] = {
        "all": lambda entry: True,
        "pinhole, global shutter": lambda entry: not entry["finish"]["distortion"] and not entry["finish"]["readout"],
    }
    tests |= {name: lambda entry, name=name: name in entry["subsets"] for name in names}
    tests |= {f"crf {low} to {high}": lambda entry, low=low, high=high: low <= entry["crf"] <= high for low, high in CRF_RANGES}
    found = {name: [entry["id"] for entry in entries if test(entry)] for name, test in tests.items()}
    return {name: clips for name, clips in found.items() if clips}


def _group(clips: Sequence[ClipAgreement]) -> dict[str, Any]:
    measured = [clip for clip in clips if clip.is_measured]
    of = {"tracker": [clip.tracker_px for clip in measured], "photometric": [clip.photometric_px for clip in measured]}
    figures = {name: _spread(vectors) for name, vectors in of.items()} if measured else {}
    return {
        "clips": len(clips),
        "measured": len(measured),
        "median_shift_px": float(np.median(np.concatenate([clip.shift_px for clip in measured]))) if measured else None,
        "followed": median(clip.followed for clip in measured) if measured else None,
        "hidden": median(clip.hidden for clip in measured) if measured else None,
    } | figures


def _spread(vectors: Sequence[np.ndarray]) -> dict[str, Any]:
    lengths, medians = np.linalg.norm(np.concatenate(vectors), axis=1), [median_length(v) for v in vectors]
    return {
        "windows": len(lengths),
        "median_px": float(np.median(lengths)),
        "p90_px": float(np.percentile(lengths, 90)),
        "median_of_clips_px": median(medians),
        "clips_below": sum(value < LIMIT_PX for value in medians),
    }


def _twice(shown: ClipAgreement, again: ClipAgreement, entry: ManifestEntry) -> dict[str, Any]:
    return {
        "clip": shown.id,
        "windows": len(shown.tracker_px),
        "tracker_px": shown.tracker_median_px,
        "photometric_px": shown.photometric_median_px,
        "windows_again": len(again.tracker_px),
        "tracker_again_px": again.tracker_median_px,
        "photometric_again_px": again.photometric_median_px,
        "crf": entry["crf"],
        "noise": entry["noise"],
        "exposure": entry["exposure"],
    }


def _sharp(clip: ClipAgreement) -> dict[str, Any]:
    return {
        "clip": clip.id,
        "windows": len(clip.tracker_px),
        "tracker_px": clip.tracker_median_px,
        "photometric_px": clip.photometric_median_px,
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="a random set that `sfmcam data synthetic --clips N` rendered")
    parser.add_argument("name", help="name of the file in results/, without its suffix")
    parser.add_argument("--limit", type=int, help="only the first so many clips")
    parser.add_argument("--seed", type=int, help="the set's own, where its generator.json does not say it, to draw clips again  [0]")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    try:
        cv2.setNumThreads(1)
        entries = list(read_manifest(given.set).values())[: given.limit]
        seed = given.seed if given.seed is not None else set_seed(given.set) or 0
        figure = rounded(figure_of_machine("truth", compare(given.set, entries, seed=seed)))
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    print_rows(table(figure))
    for part, words in (("systematic", "all clips"), ("systematic_without_blur", "clips without motion blur")):
        print(f"{words}: " + ", ".join(f"{name} {value:+.3f} +- {sigma:.3f}" for name, (value, sigma) in figure[part].items()))
    for clip in figure["drawn_without_blur"]:
        print("{clip} without motion blur: tracker {tracker_px:.3f} px, photometric {photometric_px:.3f} px".format(**clip))
    for word in ("still_above", "never_measured"):
        print(f"{word.replace('_', ' ')}: {', '.join(figure[word]) or 'none'}")
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
