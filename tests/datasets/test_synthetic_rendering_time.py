"""What a set takes to render is estimated from a sample: exact where clips keep to two prices, and written with what made it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchmark_scripts import script

from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.random_specs import random_specs

SPECS = random_specs(Split.TEST, 0, 40)


def test_two_prices_are_found_and_paid_for_every_clip() -> None:
    rendering = script("rendering")
    timed = [
        {"clip": spec.id, "million_samples": rendering.samples(spec), "seconds": 1.5 + 0.8 * rendering.samples(spec), "build_seconds": 1.0}
        for spec in SPECS[::4]
    ]
    found = rendering.estimate(timed, SPECS)
    total = sum(1.5 + 0.8 * rendering.samples(spec) for spec in SPECS)
    assert found["processor_minutes"] == pytest.approx(total / 60)
    assert found["minutes"] == pytest.approx(total / 120)
    assert (found["seconds_per_clip_and_scene"], found["seconds_per_million_samples"]) == pytest.approx((1.5, 0.8))
    assert found["clips"] == 40
    assert found["sampled"] == 10


def test_motion_blur_takes_twice_the_samples() -> None:
    samples = script("rendering").samples
    assert samples(replace(SPECS[0], shutter=0.5)) == 2 * samples(replace(SPECS[0], shutter=0.0))


def test_the_command_times_what_it_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sfmcam.datasets.synthetic.random_specs.SCENE_DECK", ("bare_room",))  # built fastest
    monkeypatch.setattr("sfmcam.datasets.synthetic.looks.LONG_SIDES_PX", ((96, 1.0),))
    monkeypatch.setattr("sfmcam.datasets.synthetic.looks.MOST_FRAMES", 3)
    monkeypatch.setattr("sfmcam.datasets.synthetic.looks.FEWEST_FRAMES", 3)
    monkeypatch.setattr("sfmcam.datasets.synthetic.looks.LENGTH_DECK", ("short",))
    monkeypatch.setattr("sys.argv", ["rendering.py", "tiny", "--clips", "6", "--sample", "2", "--results", str(tmp_path)])
    script("rendering").main()
    kept = json.loads((tmp_path / "tiny.json").read_text())
    assert kept["sampled"] == len(kept["timed"]) == 2
    assert all(clip["seconds"] > 0 for clip in kept["timed"])
    assert "minutes" in capsys.readouterr().out
