"""The run store: every finished (method, clip) of a run in one SQLite file, so that a killed run goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sfmcam import __version__
from sfmcam.errors import InputError
from sfmcam.jobs import Method
from sfmcam.results import ClipResult

SCHEMA = """
CREATE TABLE IF NOT EXISTS methods (slug TEXT PRIMARY KEY, config TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    slug TEXT NOT NULL, clip TEXT NOT NULL, source_hash TEXT NOT NULL, status TEXT NOT NULL, finished TEXT NOT NULL, result TEXT NOT NULL,
    PRIMARY KEY (slug, clip)
);
"""
SCHEMA_VERSION = 1
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

    def claim(self, method: Method) -> None:
        """Register `method` for its slug.

        Raises:
            InputError: the store holds results of another configuration under the same slug; the sentence says what differs.
        """
        config = configuration(method)
        row = self._db.execute("SELECT config FROM methods WHERE slug = ?", (method.slug,)).fetchone()
        if row is not None and json.loads(row[0]) != config:
            difference = describe_difference(json.loads(row[0]), config)
            raise InputError(
                f"{self._path.parent} holds results of {method.slug} made otherwise ({difference}); "
                "choose another --out, or add --overwrite to replace them"
            )
        self._db.execute("INSERT OR IGNORE INTO methods VALUES (?, ?)", (method.slug, json.dumps(config)))

    def forget(self, slug: str) -> None:
        """Remove a method with all its results."""
        with self._transaction():
            self._db.execute("DELETE FROM runs WHERE slug = ?", (slug,))
            self._db.execute("DELETE FROM methods WHERE slug = ?", (slug,))

    def put(self, slug: str, result: ClipResult, *, source_hash: str) -> None:
        """Keep one result, in place of an earlier one."""
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        row = (slug, result.clip_id, source_hash, result.status.value, finished, json.dumps(result.to_json()))
        self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)

    def results(self, slug: str) -> dict[str, tuple[str, ClipResult]]:
        """Return what is kept of a method: clip id -> (source hash, result)."""
        rows = self._db.execute("SELECT clip, source_hash, result FROM runs WHERE slug = ? ORDER BY clip", (slug,))
        return {clip: (source_hash, ClipResult.from_json(json.loads(text))) for clip, source_hash, text in rows}

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
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
    name = next(key for key in sorted(kept.keys() | wanted.keys()) if kept.get(key) != wanted.get(key))
    return f"{name.split('.')[-1]} {kept.get(name, 'unset')}, not {wanted.get(name, 'unset')}"


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
