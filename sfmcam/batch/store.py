"""The run store: every finished (method, clip) of a run in one SQLite file, so that a killed run goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sfmcam import __version__
from sfmcam.errors import InputError
from sfmcam.jobs import Method
from sfmcam.results import ClipResult

SCHEMA = """
CREATE TABLE IF NOT EXISTS dataset (name TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS methods (slug TEXT PRIMARY KEY, config TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    slug TEXT NOT NULL, clip TEXT NOT NULL, source_hash TEXT NOT NULL, status TEXT NOT NULL, finished TEXT NOT NULL, result TEXT NOT NULL,
    PRIMARY KEY (slug, clip)
);
"""
SCHEMA_VERSION = 1
UNSET = "unset"
HASHED_BYTES = 1 << 20  # from each end of a video: re-encoding or cutting changes both its size and these


class RunStore:
    """Results by (method slug, clip id), each under the configuration that made it. Used by one process at a time, as a context."""

    def __init__(self, path: Path) -> None:
        """Open or make the store.

        Raises:
            InputError: the file cannot be opened, or is none of ours.
        """
        self._path = path
        with _readable(path):
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version not in (0, SCHEMA_VERSION):
                raise InputError(f"{path} was written by another version of sfmcam; choose another --out")
            self._db.executescript(SCHEMA)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def claim_dataset(self, name: str, digest: str, *, replacing: Collection[str] = ()) -> None:
        """Register the labelled set that this run is about.

        Args:
            name: of the set.
            digest: tells whether it is the same set, whichever part of it is run.
            replacing: slugs of the methods whose results are to be forgotten; those of another set do not hinder.

        Raises:
            InputError: the store holds results on another set.
        """
        with _readable(self._path), self._transaction():
            row = self._db.execute("SELECT name, digest FROM dataset").fetchone()
            kept = {slug for (slug,) in self._db.execute("SELECT slug FROM methods")}.difference(replacing)
            if row is not None and row != (name, digest) and kept:
                which = f"the data set {row[0]}" if row[0] != name else f"a data set {name} of other videos"
                raise InputError(
                    f"{self._path.parent} holds results of {', '.join(sorted(kept))} on {which}; "
                    "choose another --out, or replace the results of all these estimators with --overwrite"
                )
            self._db.execute("DELETE FROM dataset")
            self._db.execute("INSERT INTO dataset VALUES (?, ?)", (name, digest))

    def claim(self, method: Method) -> None:
        """Register `method` for its slug.

        Raises:
            InputError: the store holds results of another configuration under the same slug; the sentence says what differs.
        """
        config = configuration(method)
        with _readable(self._path):
            row = self._db.execute("SELECT config FROM methods WHERE slug = ?", (method.slug,)).fetchone()
            if row is None:
                self._db.execute("INSERT INTO methods VALUES (?, ?)", (method.slug, json.dumps(config)))
                return
        with self._of_this_shape(method.slug):
            kept = dict(json.loads(row[0]))
        if kept != config:
            raise InputError(
                f"{self._path.parent} holds results of {method.slug} made otherwise ({describe_difference(kept, config)}); "
                "choose another --out, or add --overwrite to replace them"
            )

    def forget(self, slug: str) -> None:
        """Remove a method with all its results.

        Raises:
            InputError: the file cannot be written.
        """
        with _readable(self._path), self._transaction():
            self._db.execute("DELETE FROM runs WHERE slug = ?", (slug,))
            self._db.execute("DELETE FROM methods WHERE slug = ?", (slug,))

    def put(self, slug: str, result: ClipResult, *, source_hash: str) -> None:
        """Keep one result, in place of an earlier one.

        Raises:
            InputError: the file cannot be written.
        """
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        row = (slug, result.clip_id, source_hash, result.status.value, finished, json.dumps(result.to_json()))
        with _readable(self._path):
            self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)

    def slugs(self) -> tuple[str, ...]:
        """Return the methods that the store knows, in the order in which they came.

        Raises:
            InputError: the file cannot be read.
        """
        with _readable(self._path):
            return tuple(slug for (slug,) in self._db.execute("SELECT slug FROM methods ORDER BY rowid"))

    def results(self, slug: str) -> dict[str, tuple[str, ClipResult]]:
        """Return what is kept of a method: clip id -> (source hash, result).

        Raises:
            InputError: the file cannot be read, or a row is none of this version's.
        """
        with _readable(self._path):
            rows = self._db.execute("SELECT clip, source_hash, result FROM runs WHERE slug = ? ORDER BY clip", (slug,)).fetchall()
        with self._of_this_shape(slug):
            return {clip: (source_hash, ClipResult.from_json(json.loads(text))) for clip, source_hash, text in rows}

    @contextlib.contextmanager
    def _of_this_shape(self, slug: str) -> Iterator[None]:
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{self._path} holds results of {slug} that this version of sfmcam cannot read; "
                "choose another --out, or add --overwrite to replace them"
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # a full disk ends it on its own
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def configuration(method: Method) -> dict[str, Any]:
    """Return what the results of a method depend on, besides the video: not the time limit and threads, which decide whether, not what."""
    return {
        "sfmcam_version": __version__,
        "estimator": method.entry,
        "options": method.options,
        "frames": method.frames.model_dump(mode="json"),
        "seed": method.run.seed,
    }


def configuration_hash(method: Method) -> str:
    """Return a short name of that configuration, for result files."""
    return hashlib.sha256(json.dumps(configuration(method), sort_keys=True).encode()).hexdigest()[:16]


def hash_names(names: Iterable[str]) -> str:
    """Return a hash of a set of names, in whatever order they come."""
    return hashlib.sha256("\0".join(sorted(names)).encode(errors="surrogateescape")).hexdigest()[:16]


def hash_source(source: Path) -> str:
    """Return a hash of a video's name, size and both ends, or of an image folder's listing; the same for a copy."""
    try:
        return _hash_of_content(source)
    except OSError:
        return "unreadable"


def _hash_of_content(source: Path) -> str:
    digest = hashlib.sha256(source.name.encode())
    if source.is_dir():
        for path in sorted(source.iterdir()):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        return digest.hexdigest()
    size = source.stat().st_size
    digest.update(str(size).encode())
    with source.open("rb") as stream:
        digest.update(stream.read(HASHED_BYTES))
        stream.seek(max(0, size - HASHED_BYTES))
        digest.update(stream.read(HASHED_BYTES))
    return digest.hexdigest()


def describe_difference(kept: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return the first setting in which two configurations differ, as "fps 6.0, not 8.0"."""
    kept, wanted = _flat(kept), _flat(wanted)
    name = next(key for key in sorted(kept.keys() | wanted.keys()) if kept.get(key, UNSET) != wanted.get(key, UNSET))
    return f"{name.split('.')[-1]} {kept.get(name, UNSET)}, not {wanted.get(name, UNSET)}"


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in config.items():
        out |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return out


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise InputError(f"{path} cannot be used as run store: {error}; move it away or choose another --out") from error
