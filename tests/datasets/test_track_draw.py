"""Random recipes are wide, and shared out: every primitive, every pair that is easily confused, every scene and fault comes in number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import NUM_DOFS
from sfmcam.datasets.synthetic.labels import Label, Thresholds, direction_labels
from sfmcam.datasets.synthetic.track_draw import FEWEST_FRAMES, MOST_FRAMES, SCENE_DECK, draw_spec
from sfmcam.datasets.synthetic.track_plots import TRACK_DECK
from sfmcam.datasets.synthetic.track_spec import SceneKind, TrackClipSpec
from sfmcam.motion.primitive import PRIMITIVES

COUNT = 500


@pytest.fixture(scope="module")
def specs() -> list[TrackClipSpec]:
    return [draw_spec(seed) for seed in range(COUNT)]


def meant(spec: TrackClipSpec) -> dict[str, Label]:
    """Labels of the intended path in its own depths."""
    phase = np.linspace(0, 1, 65)
    return direction_labels(sum((curve.dofs(phase) for curve in spec.curves), np.zeros((65, NUM_DOFS))), Thresholds())


def test_every_direction_is_frequent_and_so_is_its_absence(specs: list[TrackClipSpec]) -> None:
    answers = Counter((name, label) for spec in specs for name, label in meant(spec).items())
    for primitive in PRIMITIVES:
        if primitive.dof is not None:
            assert 20 < answers[primitive.id, Label.YES] < 100, primitive.id
            assert answers[primitive.id, Label.UNSURE] >= 5, primitive.id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("zoom_in", "zoom_out"), ("move_in", "move_out")),
        (("pan_left", "pan_right"), ("move_left", "move_right")),
        (("tilt_up", "tilt_down"), ("move_up", "move_down")),
    ],
)
def test_what_is_easily_confused_comes_alone_and_together(specs: list[TrackClipSpec], one: tuple[str, str], other: tuple[str, str]) -> None:
    has = Counter(
        tuple(any(labels[name] is Label.YES for name in names) for names in (one, other)) for labels in (meant(spec) for spec in specs)
    )
    assert has[True, False] > 30
    assert has[False, True] > 30
    assert has[True, True] > 20


def test_each_run_of_seeds_deals_every_card_once(specs: list[TrackClipSpec]) -> None:
    dealt = Counter(spec.plot for spec in specs[: len(TRACK_DECK)])
    assert dealt == Counter(plot for plot, _ in TRACK_DECK)
    assert Counter(spec.scene for spec in specs[: len(SCENE_DECK)]) == Counter(SCENE_DECK)
    assert set(SCENE_DECK) == set(SceneKind)


def test_formats_and_faults_stay_within_their_ranges(specs: list[TrackClipSpec]) -> None:
    assert all(FEWEST_FRAMES <= spec.num_frames <= MOST_FRAMES for spec in specs)
    assert {spec.fps for spec in specs} == {1.0, 6.0, 12.0, 24.0}
    focal = np.array([spec.focal_over_side for spec in specs if not spec.curves])
    assert 0.35 <= focal.min() < 0.55 < 1.1 < focal.max() <= 2.26
    assert abs(np.median(focal) - 0.75) < 0.15
    assert len({round(spec.size_px[0] / spec.size_px[1], 1) for spec in specs}) == 4
    assert all(spec.faults.white_px > 0 for spec in specs)


@pytest.mark.parametrize(
    ("share", "holds"),
    [
        (0.40, lambda spec: bool(spec.bodies)),
        (0.30, lambda spec: spec.faults.wobble_px > 0),
        (0.40, lambda spec: spec.faults.distortion != 0),
        (0.30, lambda spec: spec.faults.readout > 0),
        (0.35, lambda spec: spec.shake is not None),
        (0.06, lambda spec: not spec.curves and spec.shake is None),
    ],
)
def test_difficulties_have_their_shares(specs: list[TrackClipSpec], share: float, holds: Callable[[TrackClipSpec], bool]) -> None:
    assert np.mean([holds(spec) for spec in specs]) == pytest.approx(share, abs=0.06)


def test_bodies_cover_little_and_much(specs: list[TrackClipSpec]) -> None:
    shares = [sum(body.share for body in spec.bodies) for spec in specs if spec.bodies]
    assert 0.05 <= min(shares) < 0.1
    assert 0.4 < max(shares) <= 0.6 + 1e-9
    assert {len(spec.bodies) for spec in specs} == {0, 1, 2, 3}
