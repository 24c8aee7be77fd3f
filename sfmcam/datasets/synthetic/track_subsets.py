"""Names of the subsets that a simulated clip belongs to: of the rendered sets where they apply, and what only tracks have."""

from __future__ import annotations

from collections.abc import Iterator

from sfmcam.datasets.synthetic.labels import Label
from sfmcam.datasets.synthetic.subsets import PAN_AND_TRUCK, ZOOM_AND_DOLLY, Subset
from sfmcam.datasets.synthetic.track_spec import TrackClipSpec

TILT_AND_PEDESTAL = frozenset({"tilt_up", "tilt_down", "move_up", "move_down"})
FEW_POINTS = 150


def subsets_of_tracks(spec: TrackClipSpec, labels: dict[str, Label]) -> tuple[str, ...]:
    """Return the subsets of a clip, among them `plot_...` and `scene_...`."""
    return (*_by_labels(labels), *_by_recipe(spec), f"plot_{spec.plot}", f"scene_{spec.scene}")


def _by_labels(labels: dict[str, Label]) -> Iterator[str]:
    directions = {name: label for name, label in labels.items() if name != "static"}
    done = {name for name, label in directions.items() if label is Label.YES}
    tests = {
        str(Subset.PURE): len(done) == 1 and Label.UNSURE not in directions.values(),
        str(Subset.MIXED): len(done) > 1,
        str(Subset.ZOOM_AGAINST_DOLLY): bool(done & ZOOM_AND_DOLLY),
        str(Subset.PAN_AGAINST_TRUCK): bool(done & PAN_AND_TRUCK),
        "tilt_against_pedestal": bool(done & TILT_AND_PEDESTAL),
        str(Subset.STATIC): labels["static"] is Label.YES,
    }
    yield from (name for name, holds in tests.items() if holds)


def _by_recipe(spec: TrackClipSpec) -> Iterator[str]:
    faults = spec.faults
    tests = {
        str(Subset.MOVERS): bool(spec.bodies),
        str(Subset.SHAKY): spec.shake is not None,
        str(Subset.DISTORTED): faults.distortion != 0,
        str(Subset.ROLLING_SHUTTER): faults.readout > 0,
        "wobble": faults.wobble_px > 0,
        "sway": spec.sway is not None,
        str(Subset.LETTERING): spec.caption is not None,
        "few_points": spec.num_points < FEW_POINTS,
        "slow_rate": spec.fps < 4,
    }
    yield from (name for name, holds in tests.items() if holds)
