"""The README's tables are those of benchmarks/results; a run is condensed without loss of a method or clip; figures of runs are right."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from made_bench_run import MadeClip, make_run, make_set, travelling

from sfmcam.datasets.folder import load_folder
from sfmcam.errors import InputError
from sfmcam.io.score_reader import read_score_dir

ROOT = Path(__file__).resolve().parents[1]
RECORDED = sorted((ROOT / "benchmarks" / "results").glob("*.json"))

CLIPS = {
    "still": MadeClip(("Static",), entry=(("kind", "real"), ("mover_share", 0.0)), moved=0.01),
    "turns": MadeClip(("Pan_Left",), entry=(("kind", "real"), ("mover_share", 0.05), ("subsets", ["pure"])), moved=0.05),
    "zooms": MadeClip(("Zoom_In", "Pan_Left"), entry=(("kind", "real"), ("mover_share", 0.08)), moved=None),
    "hand": MadeClip(entry=(("kind", "real"), ("mover_share", 0.6), ("steadiness", "shaky")), moved=0.3),
    "rests": MadeClip(("Tilt_Up",), entry=(("kind", "generated"), ("mover_share", 0.61), ("median_depth_m", DEPTH := 2.0)), true_moved=0.0),
    "sways": MadeClip(("Tilt_Up",), entry=(("kind", "generated"), ("median_depth_m", DEPTH)), moved=0.03, true_moved=0.02),
    "unsure": MadeClip(("Tilt_Up",), unsure=("Move_In",), entry=(("kind", "generated"),)),
    "travels": MadeClip(("Move_In",), entry=(("kind", "generated"), ("subsets", ["pure", "blur"])), moved=0.4),
    "re10k_1": MadeClip(("Move_Out",), entry=(("kind", "generated"),), moved=0.4, true_moved=0.5),
}


def script(name: str) -> ModuleType:
    """Import one of the scripts in benchmarks/, which find one another because Python puts a script's folder on its path."""
    folder = str(ROOT / "benchmarks")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def run_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bench")
    make_set(root / "set", CLIPS)
    return make_run(root / "run", root / "set", CLIPS, seconds={"vo": 1.0, "colmap:default": 12.0, "glomap": 6.0})


@pytest.fixture(scope="module")
def run(run_root: Path):
    return script("run_folder").open_run(run_root)


@pytest.mark.parametrize("name", ["README.md", "docs/figures.md"])
def test_the_pages_show_the_recorded_figures(name):
    tables, page = script("readme_tables"), (ROOT / name).read_text()
    assert ROOT / name in tables.PAGES
    assert "<!-- table:" in page
    assert tables.render(page) == page


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_recorded_figures_say_what_made_them_and_fit_their_table(path):
    kept = json.loads(path.read_text())
    assert kept["command"].startswith(("sfmcam bench", "python benchmarks/"))
    assert not any(Path(word).is_absolute() for word in kept["command"].split())
    tables = script("readme_tables").TABLES
    rows = tables[kept["figure"]](kept) if "figure" in kept else tables["accuracy"](kept)
    assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize("path", [p for p in RECORDED if "figure" not in json.loads(p.read_text())], ids=lambda p: p.stem)
def test_recorded_runs_are_whole(path):
    run = json.loads(path.read_text())
    for method in run["methods"].values():
        assert method["cost"]["clips"] == run["dataset"]["clips"]
        assert sum(method["statuses"].values()) == run["dataset"]["clips"]
        rated = [ap for ap in method["scoring"]["depth"]["ap_all"].values() if ap is not None]
        assert method["scoring"]["depth"]["mean_ap_all"] == pytest.approx(sum(rated) / len(rated), abs=1e-4)


def test_no_folder_of_a_machine_is_kept():
    assert script("kept").hide_folders("sfmcam bench ../shared/clips -o /home/me/out/run") == "sfmcam bench ../shared/clips -o run"


# --- a run, opened again


def test_a_run_knows_its_set_without_being_told(run):
    assert run.slugs == ("vo", "colmap-default", "glomap")
    assert {clip.id for clip in run.labelled_set.clips} == set(CLIPS)
    assert run.manifest["travels"]["subsets"] == ["pure", "blur"]
    assert run.trajectory("vo", "zooms") is None


@pytest.mark.parametrize(
    ("what", "sentence"),
    [("nothing", "run `sfmcam bench SET"), ("gone", "name their labelled set with --labels"), ("other", "has no clip '")],
)
def test_a_run_that_cannot_be_read_is_refused_in_a_sentence(tmp_path, what, sentence):
    clips = {"a": MadeClip(("Move_In",)), "b": MadeClip()}
    if what != "nothing":
        make_run(tmp_path / "run", make_set(tmp_path / "set", clips), clips, seconds={"vo": 1.0})
    if what == "gone":
        (tmp_path / "set").rename(tmp_path / "away")
    labels = make_set(tmp_path / "others", {"c": MadeClip()}) if what == "other" else None
    with pytest.raises(InputError, match=sentence):
        script("run_folder").open_run(tmp_path / "run", labels)


def test_a_set_that_has_moved_is_found_where_it_is_named(tmp_path):
    clips = {"a": MadeClip(("Move_In",)), "b": MadeClip()}
    make_run(tmp_path / "run", make_set(tmp_path / "set", clips), clips, seconds={"vo": 1.0})
    moved = (tmp_path / "set").rename(tmp_path / "away")
    assert script("run_folder").open_run(tmp_path / "run", moved).clip("a").id == "a"


def test_a_part_of_a_set_is_rated_as_that_part(tmp_path, run):
    part = script("run_folder").restricted(run.labelled_set, ["still", "travels"])
    assert part.videos == ("still.mp4", "travels.mp4")
    assert [clip.id for clip in part.clips] == ["still", "travels"]


# --- record.py


def test_a_record_has_every_method_kind_and_ratio(run):
    kept = script("record").record(run)
    assert set(kept["methods"]) == set(run.slugs)
    assert kept["command"] == "sfmcam bench made -e vo -o run"
    assert {name: group["clips"] for name, group in kept["kinds"]["depth"].items()} == {"real": 4, "generated": 5}
    assert set(kept["kinds"]) == set(run.scorings)
    assert list(kept["speed"]["against"]) == ["colmap-default"]
    assert kept["methods"]["vo"]["poses"]["parts"]["RealEstate10K"]["clips"] == 1
    assert kept["methods"]["vo"]["poses"]["clips"] == 3


def test_the_poses_of_a_large_set_are_summed_up_only(monkeypatch, run):
    record = script("record")
    monkeypatch.setattr(record, "MOST_POSES_LISTED", 2)
    assert "per_clip" not in record.record(run)["methods"]["vo"]["poses"]


def test_the_command_writes_what_the_readme_shows(monkeypatch, capsys, tmp_path, run_root):
    monkeypatch.setattr(sys, "argv", ["record.py", str(run_root), "made", "--results", str(tmp_path)])
    script("record").main()
    shown = capsys.readouterr().out
    assert "RealEstate10K" in shown
    assert "whole clip, all clips" in shown
    assert json.loads((tmp_path / "made.json").read_text())["dataset"]["clips"] == len(CLIPS)


@pytest.mark.parametrize("name", ["record", "subsets", "never_invents", "speed"])
def test_a_run_that_is_not_there_ends_a_command_in_a_sentence(monkeypatch, tmp_path, name):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(tmp_path / "none"), "made", "--results", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"^Error: .*results.json cannot be read"):
        script(name).main()


# --- subsets.py


def test_the_parts_of_a_set_are_those_of_its_manifest(run):
    groups = script("ratings").groups_of(run)
    assert {name: len(clips) for name, clips in groups.items()} == {
        "all": 9,
        "real": 4,
        "generated": 5,
        "no mover": 1,
        "mover below 8 %": 1,
        "mover 8-60 %": 2,
        "mover above 60 %": 1,
        "camera shaky": 1,
        "pure": 2,
        "blur": 1,
    }


def test_a_primitive_without_a_positive_is_left_out_and_named(run):
    ratings = script("ratings")
    rated = ratings.rate_groups(run, {"all": tuple(CLIPS), "pure": ("turns", "travels"), "one": ("still",)}, scoring="depth")
    assert set(rated["all"]["methods"]["vo"]["ap_all"]) == {
        "Move_In", "Move_Out", "Zoom_In", "Pan_Left", "Tilt_Up", "Static",
    }  # fmt: skip
    assert len(rated["all"]["left_out"]) == 9
    assert set(rated["pure"]["methods"]["vo"]["ap_all"]) == {"Move_In", "Pan_Left"}
    assert np.isnan(rated["one"]["methods"]["vo"]["mean_ap_all"])
    assert rated["pure"]["positives"]["Pan_Left"] == 1


def test_the_mean_is_that_of_the_rated_primitives_and_failures_rank_last(run):
    whole = script("ratings").rate_groups(run, {"all": tuple(CLIPS)}, scoring="depth")["all"]["methods"]["vo"]
    assert whole["mean_ap_all"] == pytest.approx(np.mean(list(whole["ap_all"].values())))
    assert whole["zoom"] == pytest.approx(1 / 9)  # the only clip that zooms failed, and ties with nothing else at the end
    assert whole["dolly"] == 1
    assert whole["ap_all"]["Pan_Left"] == pytest.approx((1 + 2 / 9) / 2)


def test_the_table_of_parts_names_what_is_left_out(monkeypatch, capsys, tmp_path, run_root):
    monkeypatch.setattr(sys, "argv", ["subsets.py", str(run_root), "made_subsets", "--results", str(tmp_path)])
    script("subsets").main()
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("blur"))
    assert "0 of 15" in line
    assert "in, out, up, down, right and 10 more" in line
    assert json.loads((tmp_path / "made_subsets.json").read_text())["figure"] == "subsets"


# --- never_invents.py


def test_every_clip_gets_the_truth_that_is_known_of_it(run):
    invents = script("never_invents")
    known = {clip: str(truth) for clip, (truth, _) in invents.truths(run).items()}
    assert known == {
        "still": "still", "turns": "turns", "zooms": "zooms", "hand": "hand-held", "rests": "turns", "sways": "sways",
        "travels": "travels", "re10k_1": "travels",
    }  # fmt: skip
    assert invents.truths(run)["sways"][1] == pytest.approx(0.02, abs=1e-6)


def test_the_share_counts_those_whose_camera_does_not_travel_and_lists_the_offenders(run):
    figure = script("never_invents").judge(run)["methods"]["vo"]
    assert (figure["all"]["clips"], figure["all"]["failed"], figure["all"]["within"]) == (4, 1, 2)  # turns reports 0.05 > 1.96 * 0.01
    assert figure["all"]["share"] == pytest.approx(2 / 3)
    assert [(case["clip"], case["bound"]) for case in figure["offenders"]] == [("turns", pytest.approx(0.0196))]
    assert figure["by_truth"]["sways"]["within"] == 1  # 0.03 is below the true 0.02 plus the bound
    assert figure["by_truth"]["hand-held"]["within"] == 0
    assert figure["by_truth"]["travels"]["share"] == 1  # both are said to travel


@pytest.mark.parametrize(
    ("moved", "bound", "truth", "within"),
    [
        (0.01, 0.02, "still", True),
        (0.02, 0.02, "still", True),
        (0.021, 0.02, "still", False),
        (0.0, None, "turns", True),
        (1e-6, None, "turns", False),
        (None, None, "turns", False),
        (0.05, 0.02, "sways", True),
        (0.07, 0.02, "sways", False),
    ],
)
def test_what_stays_within_its_bound(moved, bound, truth, within):
    invents = script("never_invents")
    assert invents.Case("a", invents.Truth(truth), 0.04, "ok", moved, bound).is_within is within


@pytest.mark.parametrize("moved", [0.0, 0.05, 2.0])
def test_translation_is_measured_in_scene_depths(moved):
    assert script("never_invents").moved_over_depth(travelling(moved, sigma=0.01)) == pytest.approx(moved)


# --- speed.py


def test_the_ratio_is_that_of_the_medians_of_the_same_clips(run):
    compared = script("speed").speed_ratios(run)["against"]["colmap-default"]
    assert compared["all"]["estimate"]["clips"] == len(CLIPS) - 1  # one has failed and took no time to speak of
    assert compared["all"]["total"]["ratio_of_medians"] == pytest.approx(12)
    assert compared["all"]["total"]["interval"] == pytest.approx([12, 12])
    assert compared["solved_by_both"]["total"]["median_ratio"] == pytest.approx(12)
    assert compared["side_by_side"]


def test_a_ratio_moves_within_its_interval():
    rng = np.random.default_rng(0)
    seconds = np.column_stack([rng.lognormal(0, 0.3, 60), 20 * rng.lognormal(0, 0.3, 60)])
    figures = script("speed")._figures(seconds)
    low, high = figures["interval"]
    assert low < figures["ratio_of_medians"] < high
    assert 10 < low < 20 < high < 40


def test_methods_that_ran_hours_apart_are_told(monkeypatch, run):
    speed = script("speed")
    monkeypatch.setattr(speed, "SECONDS_APART", -1.0)
    figure = {"speed": speed.speed_ratios(run)}
    assert not figure["speed"]["against"]["colmap-default"]["side_by_side"]
    assert "NOT side by side" in script("figure_tables").speed(figure)[1][0]


def test_a_run_of_one_method_has_no_ratio(run):
    with pytest.raises(InputError, match="a ratio needs vo and one of megasam"):
        script("speed").speed_ratios(run, against=("megasam",))


# --- length.py, warm.py


def test_a_long_clip_repeats_its_cycle_picture_by_picture(tmp_path):
    clips = script("length_clips")
    pictures = np.repeat(np.arange(10, 250, 30, dtype=np.uint8), 48 * 64 * 3).reshape(8, 48, 64, 3)
    cycle = clips.encode(tmp_path / "cycle.mp4", pictures, fps=24, size_px=(64, 48))
    long = clips.repeat(tmp_path / "long.mp4", cycle, num_frames=19, fps=24)
    assert _levels(long) == pytest.approx([*range(10, 250, 30), *range(10, 250, 30), 10, 40, 70], abs=3)


def test_pictures_are_enlarged_to_the_size_that_is_asked_for(tmp_path):
    import av

    clips = script("length_clips")
    path = clips.encode(tmp_path / "large.mp4", np.zeros((2, 48, 64, 3), np.uint8), fps=24, size_px=(128, 96))
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).to_ndarray(format="rgb24").shape == (96, 128, 3)


def _levels(path: Path) -> list[float]:
    import av

    with av.open(str(path)) as container:
        return [float(frame.to_ndarray(format="rgb24").mean()) for frame in container.decode(video=0)]


def test_linear_cost_shows_as_the_same_price_of_every_further_second():
    cases = {f"{s} s": {"video_s": s, "total_s": 1 + 0.1 * s, "estimate_s": 0.5 + 0.05 * s, "decode_s": 0.02 * s} for s in (3, 30, 300)}
    steps = script("length").growth(cases, [300, 3, 30])
    assert [(step["from_s"], step["to_s"]) for step in steps] == [(3, 30), (30, 300)]
    assert [step["total_s"] for step in steps] == pytest.approx([0.1, 0.1])


def test_the_functions_that_are_timed_inside_the_estimator_are_there():
    warm = script("warm")
    for module, name in warm.INSIDE.values():
        assert callable(warm._function(module, name))
    with pytest.raises(InputError, match="has no function no_such any more"):
        warm._function("sfmcam.estimators.vo.shot", "no_such")


def test_a_stopwatch_adds_up_by_stage_and_clock():
    watch = script("warm").Stopwatch()
    add = watch.timed("add", lambda a, b: a + b)
    assert add(1, b=2) + add(2, b=3) == 8
    assert set(watch.spent) == {"wall", "processor"}
    assert watch.spent["wall"]["add"] > 0


# --- evaluate_scale.py


def test_made_up_methods_are_read_as_probabilities_and_raw_scores_with_failures(tmp_path):
    scale = script("evaluate_scale")
    labelled_set = load_folder(make_set(tmp_path / "set", {f"c{k}": MadeClip(("Move_In",) if k % 3 else ()) for k in range(60)}))
    scale.write_methods(labelled_set, tmp_path / "scores", 4)
    methods = read_score_dir(tmp_path / "scores")
    assert [method.name for method in methods] == [f"made-up-{k}" for k in range(4)]
    scores = [[row.score for rows in method.rows.values() for row in rows.values() if row.error is None] for method in methods]
    assert [all(0 <= score <= 1 for score in of) for of in scores] == [False, True, False, True]
    assert len(scores[0]) == 60 * 15 > len(scores[3])


def test_a_command_that_is_measured_must_succeed():
    scale = script("evaluate_scale")
    wall, processor, memory = scale.measure([sys.executable, "-c", "pass"])
    assert wall > 0
    assert processor > 0
    assert memory > 1
    with pytest.raises(SystemExit, match=r"Error: .*no such thing"):
        scale.measure([sys.executable, "-c", "raise SystemExit('no such thing')"])


# --- targets.py, bench_vo.py


def test_what_was_not_measured_is_said(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["targets.py", "--results", str(tmp_path)])
    script("targets").main()
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) > 15
    assert all("not measured" in line for line in lines)


@pytest.mark.parametrize(
    ("figure", "at_least", "verdict"),
    [
        (0.95, True, "holds"),
        (0.94, True, "FALLS SHORT"),
        (0.95, False, "holds"),
        (0.96, False, "FALLS SHORT"),
        (None, True, "not measured"),
    ],
)
def test_verdicts(figure, at_least, verdict):
    assert script("targets").Target("share", 0.95, figure, at_least=at_least).verdict == verdict


def test_targets_are_read_from_the_kept_files(monkeypatch, capsys, tmp_path, run_root):
    for name, figure in (("record", "vo_clips76"), ("subsets", "vo_synthetic_subsets"), ("never_invents", "vo_clips76_invents")):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", str(run_root), figure, "--results", str(tmp_path)])
        script(name).main()
    targets = script("targets")
    rows = {target.text: target for target in targets.targets(targets.Kept(tmp_path), "vo_clips76", "vo_synthetic")}
    assert rows["clips: zoom in"].verdict == "FALLS SHORT"
    assert rows["clips: zoom out"].verdict == "not measured"
    assert rows["synthetic: dolly"].verdict == "holds"
    assert rows["times faster than colmap-default, whole clip"].figure == pytest.approx(12)
    assert rows["vo_clips76: translation within its own bound, share of clips"].figure == pytest.approx(2 / 3, abs=1e-4)


def test_missing_data_is_a_sentence_that_says_what_to_do(tmp_path):
    bench_vo = script("bench_vo")
    assert "sfmcam data synthetic --to" in bench_vo.missing("vo_synthetic", None)
    assert f"{tmp_path} is no labelled set" in bench_vo.missing("vo_clips76", tmp_path)
    assert bench_vo.missing("vo_clips76", make_set(tmp_path / "set", {"a": MadeClip()})) == ""


def test_a_step_that_fails_is_named_and_the_others_go_on(capfd):
    bench_vo = script("bench_vo")
    assert bench_vo.run([["-m", "no_such_module_at_all"], ["-m", "this"]]) == ["-m"]
    assert "Beautiful is better than ugly" in capfd.readouterr().out


def test_a_quick_look_overwrites_no_published_figure(tmp_path):
    bench_vo = script("bench_vo")
    steps = bench_vo.steps_of_set("vo_clips76", tmp_path, out=tmp_path / "out", limit=3, jobs=1) + bench_vo.steps_of_time(
        out=tmp_path, lengths="3"
    )
    assert all("--results" in step for step in steps[1:])
    assert steps[0][-2:] == ["--limit", "3"]
