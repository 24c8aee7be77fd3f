"""Random recipes: the same seed gives the same clips, splits share nothing, every motion and every difficulty is there in number."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.synthetic.camera_path import CameraPath, picture_motion_px
from sfmcam.datasets.synthetic.chance import Chance, Split
from sfmcam.datasets.synthetic.embedded_specs import embedded_specs
from sfmcam.datasets.synthetic.labels import Label, Thresholds, Truth, direction_labels
from sfmcam.datasets.synthetic.looks import FASTEST
from sfmcam.datasets.synthetic.random_set import ensure_random_set
from sfmcam.datasets.synthetic.random_specs import random_specs
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import SCENES
from sfmcam.datasets.synthetic.subsets import Subset, subsets_of
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVE_BY_ID, PRIMITIVES, Dof
from sfmcam.types import CameraTrajectory, Float, Scale

SPECS = random_specs(Split.TEST, 0, 240)


def intended(spec: ClipSpec) -> Float:
    """Degrees of freedom (N, 7) of a recipe, in scene depths of its first frame."""
    return CameraPath(spec.curves, None, float(spec.timestamps_s[-1]), np.eye(4), 1.0, 1.0).intended_dofs(spec.timestamps_s)


def truth_of(spec: ClipSpec) -> Truth:
    """Labels of a recipe before it has met its scene."""
    labels = direction_labels(intended(spec), Thresholds())
    labels["static"] = Label.NO if spec.curves or spec.shake else Label.YES
    return Truth(labels, "", "", 0.0)


def test_a_seed_gives_the_same_recipes_and_more_clips_begin_with_the_same_ones() -> None:
    assert random_specs(Split.TEST, 0, 30) == SPECS[:30]
    assert [a.recipe() for a in random_specs(Split.TEST, 0, 30)] == [b.recipe() for b in SPECS[:30]]
    assert random_specs(Split.TEST, 1, 30) != SPECS[:30]


def test_splits_share_no_seed_whatever_the_sets_seed() -> None:
    """By construction: the remainder by three is the split, so not even two different sets can meet."""
    seeds = {split: {spec.seed for number in range(4) for spec in random_specs(split, number, 60)} for split in Split}
    assert all({seed % 3 for seed in seeds[split]} == {split.number} for split in Split)
    assert sum(map(len, seeds.values())) == len(set.union(*seeds.values())) == 3 * 4 * 60
    assert set.union(*seeds.values()).isdisjoint(spec.seed for spec in embedded_specs())


def test_splits_have_streams_of_their_own() -> None:
    first = {(split, seed, i): Chance(split, seed, i).generator().random() for split in Split for seed in range(3) for i in range(20)}
    assert len(set(first.values())) == len(first)
    assert [a.curves for a in random_specs(Split.TRAIN, 0, 20)] != [b.curves for b in random_specs(Split.VAL, 0, 20)]


def test_a_deck_deals_every_card_once_a_round() -> None:
    cards = tuple("abcdefg")
    dealt = [Chance(Split.VAL, 5, index).deal("letters", cards) for index in range(70)]
    rounds = [dealt[start : start + 7] for start in range(0, 70, 7)]
    assert all(sorted(one) == list(cards) for one in rounds)
    assert len({tuple(one) for one in rounds}) > 5


@pytest.mark.parametrize("split", Split)
def test_every_primitive_has_enough_positives(split: Split) -> None:
    counts = Counter(name for spec in random_specs(split, 3, 240) for name, label in truth_of(spec).labels.items() if label is Label.YES)
    assert {primitive.id: counts[primitive.id] for primitive in PRIMITIVES if counts[primitive.id] < 15} == {}


def test_every_subset_has_enough_clips() -> None:
    counts = Counter(subset for spec in SPECS for subset in subsets_of(spec, truth_of(spec)))
    assert {subset: counts[subset] for subset in Subset if counts[subset] < 10} == {}
    assert 0.3 <= counts[Subset.MOVERS] / len(SPECS) <= 0.4
    without_intent = [spec for spec in SPECS if not spec.curves]
    assert 0.12 <= len(without_intent) / len(SPECS) <= 0.2
    assert {spec.scene for spec in SPECS} == set(SCENES)


def test_formats_are_varied_and_within_bounds() -> None:
    assert {spec.fps for spec in SPECS} >= {6.0, 8.0, 12.0, 24.0, 25.0, 30.0, 60.0}
    seconds = np.array([spec.seconds for spec in SPECS])
    assert seconds.min() >= 0.4
    assert 20 < seconds.max() <= 30
    assert np.mean(seconds <= 8) > 0.9
    assert all(320 <= max(spec.size_px) <= 640 and all(side % 8 == 0 for side in spec.size_px) for spec in SPECS)
    assert sum(spec.size_px[0] < spec.size_px[1] for spec in SPECS) > 20
    long_side = [2 * np.degrees(np.arctan(np.tan(np.radians(s.hfov_deg) / 2) * max(s.size_px) / s.size_px[0])) for s in SPECS]
    assert np.percentile(long_side, [5, 95]) == pytest.approx([28, 98], abs=8)
    assert all(not (spec.finish.distortion and spec.finish.readout) for spec in SPECS)
    assert all(18 <= spec.crf <= 34 for spec in SPECS)


def test_nothing_rushes_by() -> None:
    for spec in SPECS:
        dofs = intended(spec)
        motion = picture_motion_px(dofs, spec.focal_px * float(np.exp(dofs[:, Dof.ZOOM].max())), spec.size_px) / spec.size_px[0]
        assert motion / len(spec.timestamps_s) < 1.3 * FASTEST, spec.id


def test_ids_are_unique_and_tell_the_split_and_the_plot() -> None:
    assert len({spec.id for spec in SPECS}) == len(SPECS)
    assert all(spec.id.startswith(f"test_{index:04d}_") for index, spec in enumerate(SPECS))


def test_labels_agree_with_the_projects_own_measurement_of_the_poses() -> None:
    """`motion.measure` knows nothing of curves: a yes must be measured above the no threshold, a no below the yes threshold."""
    for spec in SPECS[:80]:
        times = spec.timestamps_s
        path = CameraPath(spec.curves, None, float(times[-1]), np.eye(4), 4.0, spec.focal_px)
        trajectory = CameraTrajectory(
            timestamps_s=times,
            cam_from_world=path.cam_from_world(times),
            focal_px=path.focals_px(times),
            valid=np.ones(len(times), bool),
            median_depth=np.full(len(times), 4.0),
            scale=Scale.METRIC,
            image_size_px=spec.size_px,
        )
        measured = measure(trajectory)
        for name, label in direction_labels(path.intended_dofs(times), Thresholds()).items():
            primitive = PRIMITIVE_BY_ID[name]
            assert primitive.dof is not None
            no, yes = Thresholds().bounds(primitive.dof)
            extent = (measured.rise if primitive.sign > 0 else measured.fall)[primitive.dof]
            if label is Label.YES:
                assert extent > no, (spec.id, name)
            elif label is Label.NO:
                assert extent < yes, (spec.id, name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sfmcam.datasets.synthetic.random_specs.SCENE_DECK", ("bare_room",))  # built fastest
        patch.setattr("sfmcam.datasets.synthetic.looks.LONG_SIDES_PX", ((96, 1.0),))
        patch.setattr("sfmcam.datasets.synthetic.looks.MOST_FRAMES", 4)
        patch.setattr("sfmcam.datasets.synthetic.looks.FEWEST_FRAMES", 4)
        return ensure_random_set(tmp_path_factory.mktemp("random") / "set", Split.VAL, seed=2, count=3, workers=1)


def test_a_random_set_is_a_labelled_set_with_depth_masks_and_subsets(made: Path) -> None:
    assert len(load_folder(made).clips) == 3
    assert json.loads((made / "generator.json").read_text())["drawn_from"] == {"split": "val", "seed": 2}
    for entry in json.loads((made / "manifest.json").read_text()):
        truth = np.load(made / "depth" / f"{entry['id']}.npz")
        cells = (entry["n_frames"], entry["height"] // 4, entry["width"] // 4)
        assert truth["depth"].shape == truth["mover"].shape == cells
        assert truth["depth"].dtype == np.float16
        assert truth["mover"].mean() == pytest.approx(entry["mover_share"], abs=1e-4)
        assert float(np.median(np.nanmedian(truth["depth"].astype(float), axis=(1, 2)))) == pytest.approx(entry["median_depth_m"], rel=2e-3)
        assert set(entry["subsets"]) <= {str(subset) for subset in Subset}
        assert entry["finish"].keys() == {"distortion", "readout", "bars", "lettering"}
