"""How much the operator is asked: no pair twice by the motion filter, no path twice by the start from vo, and what the presets change."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the dense tracker needs PyTorch: pip install 'sfmcam[learned]'")

from benchmark_scripts import script  # noqa: E402
from relief_scene import travelling, true_operator  # noqa: E402

from sfmcam.estimators.megasam import models  # noqa: E402
from sfmcam.estimators.megasam.backend import tie  # noqa: E402
from sfmcam.estimators.megasam.clip import Clip, Given  # noqa: E402
from sfmcam.estimators.megasam.motion_filter import choose_keyframes  # noqa: E402
from sfmcam.estimators.megasam.options import DenseOptions, Schedule  # noqa: E402
from sfmcam.estimators.megasam.tracker import Tracker  # noqa: E402
from sfmcam.estimators.megasam.vo_start import VoStart, same_cameras  # noqa: E402
from sfmcam.estimators.registry import load_options, parse_spec  # noqa: E402
from sfmcam.estimators.vo.windows import WindowPath  # noqa: E402


def clip_of(speed, asked, num=40):
    """A clip whose picture moves by `speed` in a frame; `asked` takes the pairs of frames that are compared."""

    def flow(a, b):
        asked.append((a, b))
        return torch.full((2, 2, 2), (b - a) * speed / np.sqrt(2))

    operator = SimpleNamespace(encode=lambda image, index: index, flow=flow)
    return Clip(lambda index: torch.zeros(3, 8, 8), operator, timestamps_s=torch.arange(num) / 10.0)


@pytest.mark.parametrize(("speed", "apart"), [(1.1, 2), (0.11, 5), (0.01, None)])
def test_no_pair_of_frames_is_compared_twice(speed, apart):
    """Where 2.0 is asked for and the picture moves too little for 8 keyframes, a half, a quarter and an eighth of it are tried."""
    asked = []
    keys = choose_keyframes(clip_of(speed, asked), Schedule(filter_flow=2.0), most=600)
    assert len(asked) == len(set(asked))
    if apart is None:  # nothing moves: at even distances
        assert keys == sorted({round(i) for i in np.linspace(0, 39, 8)})
    else:
        assert set(np.diff(keys[:-1])) == {apart}


def path(**changes):
    """Two keyframes before points at depth 2."""
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[1, 0, 3] = 0.3
    points = np.array([[0.0, 0.0, 1.0], [0.1, 0.0, 0.995]])
    made = WindowPath(np.array([0, 4]), poses, np.zeros(2), np.ones((2, 7)), np.arange(2), points, np.full(2, 0.5), np.ones(2))
    return replace(made, **changes)


def test_a_path_is_adjusted_once(monkeypatch):
    adjusted = []
    monkeypatch.setattr(VoStart, "_adjusted_path", lambda self, path, mask: adjusted.append(path) or len(adjusted))
    start = VoStart(None, None, None)
    moved = path().cam_from_world.copy()
    moved[1, 0, 3] += 1e-6
    other = [path(cam_from_world=moved), path(log_focal=np.full(2, 1e-6)), path(rho=np.full(2, 0.4)), path(frames=np.array([0, 5]))]
    assert [start._refined(p, None) for p in (path(), path(sigma=np.zeros((2, 7))), *other, path())] == [1, 1, 2, 3, 4, 5, 1]
    assert same_cameras(path(), path(cam_from_world=path().cam_from_world + 1e-13))


@pytest.mark.parametrize(("wanted", "taken"), [(None, 3), (1, 1)])
def test_rounds_with_a_free_focal_length(wanted, taken, monkeypatch):
    scene = travelling(6)
    operator = true_operator(scene)
    clip = Clip(lambda index: torch.zeros(3, 8, 8), operator, timestamps_s=torch.arange(len(scene)) / 12.0)
    schedule = Schedule(init_updates=1, keyframe_distance=0, backend_updates=3, focal_updates=wanted, early_stop=0)
    moving = Tracker(clip, Given(scene.intrinsics, torch.ones((len(scene), *scene.grid))), schedule).track(range(len(scene)))
    tie(moving, operator, schedule)
    counts, adjust_all = [], models.adjust_all
    monkeypatch.setattr(models, "adjust_all", lambda *a, **k: counts.append(adjust_all(*a, **k)))
    models.fit_models(moving, operator, DenseOptions(schedule=schedule), prior_log_focal=torch.log(scene.intrinsics[:, 0]))
    assert counts == [taken, taken]


def test_the_reference_is_the_published_schedule():
    found = load_options(parse_spec("megasam:reference")).schedule
    assert found == Schedule(early_stop=0)
    assert (found.max_edges, found.init_updates, found.frontend_updates, found.backend_updates) == (48, 10, 8, 20)
    assert (found.fill_updates, found.focal_updates) == (6, None)


def test_what_works_and_what_answers():
    """The benchmark's network of random weights does its work; poses are those of the operator that answers."""
    counts = script("megasam_counts")
    scene = travelling(6)
    working = counts.Counted(true_operator(scene, noise=3.0))
    both = counts.Counted(counts.Answered(working, true_operator(scene)))

    def tracked(operator):
        clip = Clip(lambda index: torch.zeros(3, 8, 16), operator, timestamps_s=torch.arange(len(scene)) / 12.0)
        given = Given(scene.intrinsics, torch.ones((len(scene), *scene.grid)))
        return Tracker(clip, given, Schedule(init_updates=2)).track(range(len(scene)))

    torch.testing.assert_close(tracked(both).keyframes.poses, tracked(true_operator(scene)).keyframes.poses)
    assert both.grid == (1, 2)
    told = both.told()
    assert told == working.told()
    assert (told["encoded"], told["calls"]) == (6, 6)
    assert told["revised"] >= 6 * 24  # 24 pairs of 6 frames are at most 3 apart
    assert both.told()["revised"] == 0
