"""A run is opened finished or not; what is no run is one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from report.made_report import CLIPS, ODD

from sfmcam.batch.store import RunStore
from sfmcam.errors import InputError
from sfmcam.report.run import open_run


def test_a_finished_run_has_its_clips_labels_and_scores(made: Path) -> None:
    run = open_run(made / "run")
    assert {clip.id for clip in run.labelled_set.clips} == set(CLIPS)
    assert {method.name for method in run.scores} == {"vo", "glomap"} == set(run.results)
    assert run.scoring == "depth"
    assert run.notes == ()
    assert run.made["command"].startswith("sfmcam bench")
    assert run.manifest[ODD]["subsets"] == ["pure", "low_light"]
    assert next(clip for clip in run.labelled_set.clips if clip.id == "travels").poses is not None


def test_another_scoring_can_be_asked_for(made: Path) -> None:
    run = open_run(made / "run", scoring="probability")
    assert run.scoring == "probability" == run.scores[0].scoring


def unfinished(made: Path, root: Path) -> Path:
    """Copy the run as it was before its end, with two clips less under glomap and one less under vo."""
    shutil.copytree(made / "run", root / "run")
    (root / "run" / "results.json").unlink()
    with RunStore(root / "run" / "runs.sqlite") as store:
        store._db.execute("DELETE FROM runs WHERE slug = 'glomap' AND clip IN ('still', 'turns')")
        store._db.execute("DELETE FROM runs WHERE slug = 'vo' AND clip = 'still'")
    return root / "run"


def test_an_unfinished_run_says_how_far_it_is_and_goes_on(made: Path, tmp_path: Path) -> None:
    run = open_run(unfinished(made, tmp_path))
    assert run.scoring == "probability"
    assert "unfinished: 4 of 5 clips are there (vo 4, glomap 3)" in run.notes[0]
    assert {row.video for rows in run.labelled_set.rows.values() for row in rows} == {f"{name}.mp4" for name in CLIPS if name != "still"}
    by_name = {method.name: method for method in run.scores}
    assert "turns.mp4" not in by_name["glomap"].rows["Pan_Left"]
    assert by_name["vo"].rows["Pan_Left"]["failed.mp4"].error == "timeout"
    assert by_name["vo"].rows["Pan_Left"]["turns.mp4"].score == 1.0


def test_an_unfinished_run_needs_its_set(made: Path, tmp_path: Path) -> None:
    root = unfinished(made, tmp_path)
    with RunStore(root / "runs.sqlite") as store:
        store._db.execute("UPDATE runs SET result = replace(result, ?, '/nowhere')", (str(made / "set"),))
    with pytest.raises(InputError, match=r"unfinished run, and its labelled set is no longer in /nowhere; name the set with --labels"):
        open_run(root)
    assert len(open_run(root, labels=str(made / "set")).labelled_set.clips) == 4


def test_results_that_came_later_are_told(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "run", tmp_path / "run")
    with RunStore(tmp_path / "run" / "runs.sqlite") as store:
        late = "INSERT INTO runs SELECT slug, 'late', source_hash, status, finished, result FROM runs"
        store._db.execute(f"{late} WHERE slug = 'vo' AND clip = 'still'")
    assert "1 results came after results.json" in open_run(tmp_path / "run").notes[0]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda run: shutil.rmtree(run), r"there is no folder .*; give the --out of `sfmcam bench`"),
        (
            lambda run: [path.unlink() for path in run.rglob("*") if path.is_file()],
            r"is neither a run of `sfmcam bench` \(it has no runs.sqlite\) nor has it score files",
        ),
        (lambda run: (run / "runs.sqlite").write_text("text"), r"cannot be used as run store"),
        (lambda run: (run / "results.json").write_text("{}"), r"results.json is not what `sfmcam bench` writes"),
        (lambda run: (run / "results.json").write_text("nonsense"), r"results.json is not what `sfmcam bench` writes"),
    ],
)
def test_what_is_no_run_is_one_sentence(made: Path, tmp_path: Path, spoil, sentence: str) -> None:
    root = tmp_path / "run"
    shutil.copytree(made / "run", root, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    spoil(root)
    with pytest.raises(InputError, match=sentence):
        open_run(root)


def test_a_run_of_which_nothing_has_ended(tmp_path: Path) -> None:
    with RunStore(tmp_path / "runs.sqlite"):
        pass
    with pytest.raises(InputError, match="nothing has ended in"):
        open_run(tmp_path)


def test_a_broken_manifest_is_named(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "set", tmp_path / "set")
    (tmp_path / "set" / "manifest.json").write_text('[{"name": "no id"}]')
    with pytest.raises(InputError, match=r"manifest.json is no list of clips with an 'id' each"):
        open_run(made / "run", labels=str(tmp_path / "set"))


def test_score_files_alone_are_reported_without_a_run(made: Path) -> None:
    run = open_run(made / "against")
    assert [method.name for method in run.scores] == ["<i>bad</i>", "<i>good</i>"]
    assert run.results == {}
    assert run.labelled_set.num_rows == sum(map(len, run.scores[0].rows.values()))
    assert "without a run" in run.origin
    with_set = open_run(made / "against", labels=str(made / "set"))
    assert {clip.id for clip in with_set.labelled_set.clips} == set(CLIPS)


def test_a_run_without_a_single_video(made: Path, tmp_path: Path) -> None:
    """Labels whose videos were never fetched: `bench --allow-missing` ends at once, and every row failed."""
    shutil.copytree(made / "run", tmp_path / "run")
    with RunStore(tmp_path / "run" / "runs.sqlite") as store:
        store._db.execute("DELETE FROM runs")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    for method in results["methods"]:
        method["clips"] = {}
    (tmp_path / "run" / "results.json").write_text(json.dumps(results))
    run = open_run(tmp_path / "run")
    assert run.labelled_set.clips == ()
    assert run.labelled_set.num_rows
    assert run.results == {"vo": {}, "glomap": {}}
