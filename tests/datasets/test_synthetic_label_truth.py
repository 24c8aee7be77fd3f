"""Labels agree with `motion` applied to the true poses, and the check that says so names a label that does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmark_scripts import script

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.finish import PLAIN
from sfmcam.datasets.synthetic.labels import Label, Thresholds, direction_labels
from sfmcam.datasets.synthetic.random_specs import random_specs
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stored_truth import StoredTruth
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import CameraTrajectory, Scale

DEPTH_M = 4.0
SPECS = random_specs(Split.TRAIN, 5, 80)  # one round of the deck: every motion


def stored(spec: ClipSpec) -> tuple[StoredTruth, dict]:
    """What a set would store of a recipe in front of a flat wall, without drawing it."""
    times = spec.timestamps_s
    path = CameraPath(spec.curves, spec.shake, float(times[-1]), np.eye(4), DEPTH_M, spec.focal_px)
    trajectory = CameraTrajectory(
        timestamps_s=times,
        cam_from_world=path.cam_from_world(times),
        focal_px=path.focals_px(times),
        valid=np.ones(len(times), bool),
        median_depth=np.full(len(times), np.nan),
        scale=Scale.METRIC,
        image_size_px=spec.size_px,
    )
    labels = {name: str(label) for name, label in direction_labels(path.intended_dofs(times), Thresholds()).items()}
    labels["static"] = str(Label.NO if spec.curves or spec.shake else Label.YES)
    cells = np.full((len(times), 2, 2), DEPTH_M)
    truth = StoredTruth(spec.id, spec.size_px, spec.fps, trajectory, cells, np.zeros_like(cells, bool), PLAIN, spec.seed)
    return truth, {"id": spec.id, "labels": {primitive.id: labels[primitive.id] for primitive in PRIMITIVES}}


def judged(truth: StoredTruth, entry: dict) -> list:
    return script("label_truth").judge(truth, entry, Thresholds())


def test_sure_labels_agree_with_the_measured_true_poses() -> None:
    """All but one in a thousand, and why is known: of two turns, which comes first decides what happens about the third axis."""
    clips = [stored(spec) for spec in SPECS]
    verdicts = [verdict for truth, entry in clips for verdict in judged(truth, entry)]
    figure = script("label_truth").condense(verdicts, [entry for _, entry in clips])
    assert [(v["clip"], v["primitive"], v["reason"]) for v in figure["disagreements"]] == [
        ("train_0025_pair", "pan_left", "two turns make a third")
    ]
    assert figure["all"]["agree"] == len(verdicts) - 1
    assert figure["labels"]["sure"] == len(verdicts)
    assert figure["all"]["strictly"] >= 0.98 * len(verdicts)
    assert len(verdicts) + figure["labels"]["unsure"] == len(SPECS) * len(PRIMITIVES)
    assert all(counts["yes"] for counts in figure["primitives"].values())
    assert figure["all"]["ap"] > 0.9
    assert {len(row) for row in script("set_tables").label_truth(figure)} == {8}


@pytest.mark.parametrize("primitive", [p.id for p in PRIMITIVES])
def test_a_wrong_label_is_named(primitive: str) -> None:
    """Whichever label of a clip is turned round, it is that one which disagrees."""
    for index in (0, 1, 2, 3):
        truth, entry = stored(SPECS[index])
        label = entry["labels"][primitive]
        if label == "unsure":
            continue
        wrong = entry | {"labels": entry["labels"] | {primitive: "no" if label == "yes" else "yes"}}
        verdicts = judged(truth, wrong)
        assert [(v.primitive, v.reason) for v in verdicts if not v.agrees] == [(primitive, "")]


def test_a_wrong_depth_or_focal_length_makes_labels_disagree() -> None:
    clips = {spec.id.split("_", 2)[2]: stored(spec) for spec in SPECS}
    truth, entry = clips["move_in"]
    far = replace(truth, depth_m=truth.depth_m * 10)
    assert [v.primitive for v in judged(far, entry) if not v.agrees] == ["move_in"]
    truth, entry = clips["zoom_out"]
    shared = replace(truth, trajectory=replace(truth.trajectory, focal_px=np.full(len(truth), 300.0)))
    assert [v.primitive for v in judged(shared, entry) if not v.agrees] == ["zoom_out"]


def test_a_set_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["label_truth.py", str(tmp_path / "none"), "made"])
    with pytest.raises(SystemExit, match=r"^Error: .*holds no rendered clip"):
        script("label_truth").main()


def test_the_command_writes_what_it_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clips = {entry["id"]: (truth, entry) for truth, entry in map(stored, SPECS[:12])}
    module = script("label_truth")
    monkeypatch.setattr(module, "read_manifest", lambda folder: {name: entry for name, (_, entry) in clips.items()})
    monkeypatch.setattr(module, "read_truth", lambda folder, entry: clips[entry["id"]][0])
    monkeypatch.setattr("sys.argv", ["label_truth.py", "set", "made", "--results", str(tmp_path)])
    module.main()
    kept = json.loads((tmp_path / "made.json").read_text())
    assert kept["set"]["clips"] == 12
    assert "disagreements: 0" in capsys.readouterr().out
