"""Named subsets of a rendered set, so that a table shows where a method breaks. A clip may be in several, or in none."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from sfmcam.datasets.synthetic.labels import Label, Truth
from sfmcam.datasets.synthetic.looks import LOW_TEXTURE_SCENES
from sfmcam.datasets.synthetic.spec import ClipSpec

DARK = 0.4  # exposure below which a clip counts as low light
LONG_S = 10.0

ZOOM_AND_DOLLY = frozenset({"zoom_in", "zoom_out", "move_in", "move_out"})
PAN_AND_TRUCK = frozenset({"pan_left", "pan_right", "move_left", "move_right"})


class Subset(StrEnum):
    """What makes a clip hard, or what it tells apart."""

    PURE = "pure"  # one direction, no doubt about any other
    MIXED = "mixed"  # several directions, at once or in turn
    MOVERS = "movers"
    LOW_LIGHT = "low_light"
    LOW_TEXTURE = "low_texture"
    ZOOM_AGAINST_DOLLY = "zoom_against_dolly"  # the camera zooms, or moves in or out, or both
    PAN_AGAINST_TRUCK = "pan_against_truck"  # the camera pans, or moves sideways, or both
    SHAKY = "shaky"
    STATIC = "static"
    LONG = "long"
    DISTORTED = "distorted"
    ROLLING_SHUTTER = "rolling_shutter"
    BLUR = "blur"
    LETTERBOX = "letterbox"
    LETTERING = "lettering"


def subsets_of(spec: ClipSpec, truth: Truth) -> tuple[Subset, ...]:
    """Return the subsets that a clip belongs to."""
    return (*_by_labels(truth), *_by_recipe(spec))


def _by_labels(truth: Truth) -> Iterator[Subset]:
    directions = {name: label for name, label in truth.labels.items() if name != "static"}
    done = {name for name, label in directions.items() if label is Label.YES}
    if len(done) == 1 and Label.UNSURE not in directions.values():
        yield Subset.PURE
    if len(done) > 1:
        yield Subset.MIXED
    if done & ZOOM_AND_DOLLY:
        yield Subset.ZOOM_AGAINST_DOLLY
    if done & PAN_AND_TRUCK:
        yield Subset.PAN_AGAINST_TRUCK
    if truth.labels["static"] is Label.YES:
        yield Subset.STATIC


def _by_recipe(spec: ClipSpec) -> Iterator[Subset]:
    finish = spec.finish
    tests = {
        Subset.MOVERS: bool(spec.movers),
        Subset.LOW_LIGHT: spec.exposure < DARK,
        Subset.LOW_TEXTURE: spec.scene in LOW_TEXTURE_SCENES,
        Subset.SHAKY: spec.shake is not None,
        Subset.LONG: spec.seconds >= LONG_S,
        Subset.DISTORTED: finish.distortion != 0,
        Subset.ROLLING_SHUTTER: finish.readout > 0,
        Subset.BLUR: spec.shutter > 0,
        Subset.LETTERBOX: finish.bars != 0,
        Subset.LETTERING: finish.lettering != "none",
    }
    yield from (subset for subset, holds in tests.items() if holds)
