"""The run store: what is put is found again, another configuration is refused by name, and a damaged file is one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sfmcam.batch.store import RunStore, configuration_hash, describe_difference, hash_names, hash_source
from sfmcam.config import FrameConfig, RunConfig
from sfmcam.errors import InputError
from sfmcam.jobs import Method
from sfmcam.results import failed_clip
from sfmcam.types import Status

METHOD = Method("fake", "fake_estimator:FakeEstimator", {"pan_deg": 2.0}, FrameConfig(), RunConfig())
RESULT = failed_clip("a", "a.mp4", status=Status.TIMEOUT, message="ended after 3 s")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


def test_what_is_put_is_found_after_reopening(path: Path) -> None:
    with RunStore(path) as store:
        store.claim(METHOD)
        store.put("fake", RESULT, source_hash="1234")
    with RunStore(path) as store:
        store.claim(METHOD)
        assert store.results("fake") == {"a": ("1234", RESULT)}


def test_a_second_result_replaces_the_first(path: Path) -> None:
    better = replace(RESULT, failure=Status.MAPPING_FAILED)
    with RunStore(path) as store:
        store.put("fake", RESULT, source_hash="1234")
        store.put("fake", better, source_hash="1234")
        assert store.results("fake")["a"][1] == better


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (replace(METHOD, frames=FrameConfig(fps=8.0)), "fps 6.0, not 8.0"),
        (replace(METHOD, options={"pan_deg": 3.0}), "pan_deg 2.0, not 3.0"),
        (replace(METHOD, run=RunConfig(seed=7)), "seed 0, not 7"),
        (replace(METHOD, entry="other:Other"), "estimator fake_estimator:FakeEstimator, not other:Other"),
    ],
)
def test_another_configuration_is_refused_by_name(path: Path, other: Method, difference: str) -> None:
    assert configuration_hash(other) != configuration_hash(METHOD)
    with RunStore(path) as store:
        store.claim(METHOD)
        with pytest.raises(InputError, match=rf"\({difference}\).*--overwrite"):
            store.claim(other)
        store.forget("fake")
        store.claim(other)


def test_time_limit_and_threads_do_not_change_a_result(path: Path) -> None:
    with RunStore(path) as store:
        store.claim(METHOD)
        store.claim(replace(METHOD, run=RunConfig(timeout_s=1.0, threads=4)))


def test_forgetting_one_method_leaves_the_others(path: Path) -> None:
    with RunStore(path) as store:
        for slug in ("fake", "other"):
            store.put(slug, RESULT, source_hash="1234")
        store.forget("fake")
        assert (store.results("fake"), len(store.results("other"))) == ({}, 1)


def test_a_file_of_another_kind_is_one_sentence(path: Path) -> None:
    path.write_text("not a database, but long enough to be read as the header of one\n" * 20)
    with pytest.raises(InputError, match="cannot be used as run store"):
        RunStore(path)


def test_a_store_of_another_version_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(InputError, match="another version"):
        RunStore(path)


def test_another_data_set_is_refused_while_results_of_one_are_kept(path: Path) -> None:
    with RunStore(path) as store:
        store.claim_dataset("street", "1")
        store.claim(METHOD)
        store.claim_dataset("street", "1")
        with pytest.raises(InputError, match=r"holds results of fake on the data set street; .*--out.*--overwrite"):
            store.claim_dataset("sea", "2")
        with pytest.raises(InputError, match="a data set street of other videos"):
            store.claim_dataset("street", "2")
        store.claim_dataset("sea", "2", replacing=["fake"])


def test_overwriting_one_method_does_not_mix_its_set_with_that_of_another(path: Path) -> None:
    with RunStore(path) as store:
        store.claim_dataset("street", "1")
        store.claim(METHOD)
        store.claim(replace(METHOD, slug="other"))
        with pytest.raises(InputError, match="holds results of other on the data set street"):
            store.claim_dataset("sea", "2", replacing=["fake"])


def test_a_store_without_results_takes_any_data_set(path: Path) -> None:
    with RunStore(path) as store:
        store.claim_dataset("street", "1")
        store.claim_dataset("sea", "2")


def test_the_hash_of_names_does_not_follow_their_order() -> None:
    assert hash_names(["a", "b"]) == hash_names(["b", "a"])
    assert len({hash_names(names) for names in ([], ["ab"], ["a", "b"], ["a", "\udcff"])}) == 4


ACTIONS: dict[str, Callable[[RunStore], object]] = {
    "claim": lambda store: store.claim(METHOD),
    "claim_dataset": lambda store: store.claim_dataset("street", "1"),
    "forget": lambda store: store.forget("fake"),
    "put": lambda store: store.put("fake", RESULT, source_hash="1234"),
    "results": lambda store: store.results("fake"),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_database_that_breaks_under_way_is_one_sentence(path: Path, action: str) -> None:
    with RunStore(path) as store:
        store._db.executescript("DROP TABLE runs; DROP TABLE methods; DROP TABLE dataset")
        with pytest.raises(InputError, match=r"cannot be used as run store: no such table.*choose another --out"):
            ACTIONS[action](store)


@pytest.mark.parametrize("action", ["claim", "claim_dataset", "forget", "put"])
def test_a_full_disk_is_one_sentence(path: Path, action: str) -> None:
    with RunStore(path) as store:
        store.put("fake", RESULT, source_hash="1234")
        store._db.execute("PRAGMA query_only=1")  # as near to a full disk as a test comes: no write succeeds
        with pytest.raises(InputError, match="cannot be used as run store"):
            ACTIONS[action](store)
        assert not store._db.in_transaction


@pytest.mark.parametrize("text", ["{}", "[]", "null", "{", '{"failure": "odd", "shots": []}', '{"failure": null, "shots": [{}]}'])
def test_a_row_of_another_shape_is_one_sentence(path: Path, text: str) -> None:
    with RunStore(path) as store:
        store.put("fake", RESULT, source_hash="1234")
        store._db.execute("UPDATE runs SET result = ?", (text,))
        with pytest.raises(InputError, match=r"results of fake that this version .* cannot read; choose another --out, or add --overwrite"):
            store.results("fake")
        store.forget("fake")
        assert store.results("fake") == {}


@pytest.mark.parametrize("text", ["[1]", "null", "{"])
def test_a_configuration_of_another_shape_is_one_sentence(path: Path, text: str) -> None:
    with RunStore(path) as store:
        store.claim(METHOD)
        store._db.execute("UPDATE methods SET config = ?", (text,))
        with pytest.raises(InputError, match="cannot read; choose another --out, or add --overwrite"):
            store.claim(METHOD)


def test_an_option_that_is_new_and_unset_is_a_difference() -> None:
    assert describe_difference({"options": {"a": 1}}, {"options": {"a": 1, "b": None}}) == "b unset, not None"


def test_source_hash_follows_the_content(tmp_path: Path) -> None:
    first, copy = tmp_path / "a" / "v.mp4", tmp_path / "b" / "v.mp4"
    for video in (first, copy):
        video.parent.mkdir()
        video.write_bytes(b"x" * 3_000_000)
    assert hash_source(first) == hash_source(copy)
    copy.write_bytes(b"x" * 2_999_999 + b"y")
    assert hash_source(first) != hash_source(copy)
    assert hash_source(tmp_path / "a") == hash_source(tmp_path / "a")
    assert hash_source(tmp_path / "missing.mp4") == "unreadable"
