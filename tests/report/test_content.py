"""Methods of the run and of other folders stand on the run's clips; families are told apart; strangers are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from report.made_report import CLIPS, ODD, make_stranger

from sfmcam.errors import ScoreFileError
from sfmcam.report.clip_data import documents, index, video_links
from sfmcam.report.content import Content, Family, collect
from sfmcam.report.figures import figures
from sfmcam.report.run import open_run


def test_every_method_stands_on_the_clips_of_the_run(content: Content) -> None:
    assert [method.name for method in content.methods] == ["vo", "glomap", "<i>bad</i>", "<i>good</i>"]
    assert [method.family for method in content.methods] == [Family.GEOMETRY] * 2 + [Family.LANGUAGE] * 2
    assert set(content.videos) == {f"{name}.mp4" for name in CLIPS}
    assert content.apart_between == "geometry and language models"


def test_labels_and_scores_are_lined_up(content: Content) -> None:
    travels, tilt, move_in = content.videos.index("travels.mp4"), content.tasks.index("Tilt_Up"), content.tasks.index("Move_In")
    assert np.isnan(content.labels[travels, tilt])
    assert content.labels[travels, move_in] == 1
    assert content.methods[0].scores_of[travels, move_in] == 1.0
    assert np.isnan(content.methods[0].scores_of[travels, tilt])


def test_statuses_come_from_the_run_or_from_the_rows(content: Content) -> None:
    statuses = dict(zip([m.name for m in content.methods], content.statuses, strict=True))
    failed, turns, travels = (content.videos.index(f"{name}.mp4") for name in ("failed", "turns", "travels"))
    assert (statuses["vo"][failed], statuses["vo"][turns]) == ("timeout", "ok")
    assert (statuses["<i>good</i>"][failed], statuses["<i>good</i>"][turns]) == ("answered", "timeout")
    assert statuses["<i>good</i>"][travels] == "answered"  # not labelled for one task, which is no failure


def test_the_perfect_method_leads_and_disagrees_most_with_the_bad_one(content: Content) -> None:
    vo, bad = content.methods[0].rated, content.methods[2].rated
    assert vo.mean_answered.ap == pytest.approx(1.0)
    assert vo.mean_all.ap < 1.0  # its failed clip is ranked last
    assert bad.mean_all.ap < vo.mean_all.ap
    known = content.apart.gap[~np.isnan(content.apart.gap)]
    assert len(known)
    assert ((known >= 0) & (known <= 1)).all()


def test_one_family_alone_compares_its_methods(made: Path) -> None:
    alone = collect(open_run(made / "run"), resamples=0)
    assert alone.apart_between == "the methods"
    assert np.nanmax(alone.apart.gap) == 0  # both say the truth


def test_a_method_on_other_clips_is_refused(made: Path, tmp_path: Path) -> None:
    stranger = make_stranger(tmp_path)
    with pytest.raises(ScoreFileError, match=r"stranger has no score for any clip of .*run \(its first video is 'elsewhere.mp4'\)"):
        collect(open_run(made / "run"), [stranger])


def test_a_method_on_part_of_the_clips_is_told(made: Path, tmp_path: Path) -> None:
    for path in (made / "against" / "good").glob("*.json"):
        text = path.read_text().replace('"travels.mp4"', '"elsewhere.mp4"')
        (tmp_path / path.name).write_text(text)
    said = " ".join(collect(open_run(made / "run"), [tmp_path], resamples=0).warnings)
    assert "labels without a row in its score files, counted as failures (not_run)" in said
    assert "rows of its score files that the labels do not have, left out" in said


def test_a_folder_without_score_files_is_one_sentence(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match="no score file"):
        collect(open_run(made / "run"), [tmp_path])


def test_the_index_has_a_row_per_clip(content: Content) -> None:
    found = index(content, {"travels": "strip.jpg"})
    rows = {row[0]: row for row in found["rows"]}
    assert set(rows) == set(CLIPS)
    assert rows["travels"][1][content.tasks.index("Tilt_Up")] == "-"
    assert rows["travels"][9] == "strip.jpg"
    assert [found["subsets"][k] for k in rows[ODD][8]] == ["pure", "low_light"]
    assert {found["statuses"][k]["name"] for k in rows["failed"][7]} == {"timeout", "answered"}
    assert not next(status for status in found["statuses"] if status["name"] == "timeout")["solved"]


def test_a_document_has_scores_paths_and_the_truth(content: Content) -> None:
    found = {document["name"]: document for document in documents(content, {"travels": "x.mp4"})}
    travels = found["travels"]
    assert travels["video"] == "x.mp4"
    assert found["still"]["video"] == ""
    assert travels["methods"][0]["scores"][content.tasks.index("Move_In")] == 1.0
    assert travels["methods"][0]["drawn"]["path"]["unit"] == "depths"
    assert travels["methods"][0]["drawn"]["path"]["centers"][-1] == pytest.approx([0.4, 0, 0])
    assert travels["reference"]["centers"][-1] == pytest.approx([0.5, 0, 0])  # in scene depths, since the manifest states the depth
    assert found["failed"]["methods"][0]["drawn"] is None
    assert "drawn" not in travels["methods"][2]


def test_links_survive_odd_names(content: Content, tmp_path: Path) -> None:
    link = video_links(content, tmp_path)[ODD]
    assert not set(link) & set("<>\"'#? ")
    assert link.endswith("a%20%3Cb%3E%26%22%27%23%3F%2520%20clip.mp4")


def test_curves_end_at_full_recall(content: Content) -> None:
    found = figures(content)
    for task in found["curves"].values():
        for curve in task["methods"]:
            assert len(curve["recall"]) == len(curve["precision"])
            assert not curve["recall"] or curve["recall"][-1] == 1.0
    assert found["runtime"][0]["seconds"] == pytest.approx(1.0)
    assert found["runtime"][2] is None
