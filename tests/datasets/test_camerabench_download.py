"""The download, against a server on this machine that speaks as GitHub and Hugging Face do: whole files or none, and resumable."""

from __future__ import annotations

import builtins
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from label_folder import label_line

from sfmcam.datasets import camerabench_download
from sfmcam.datasets.camerabench_download import CAMERABENCH_SOURCE, DownloadReport, Source, download_camerabench
from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.parts import QUESTIONS, parts_of
from sfmcam.errors import DownloadError, InputError, MissingDependencyError
from sfmcam.motion.primitive import PRIMITIVES

REPO = "someone/Videos"
VIDEOS = [f"v{i}.{i}.mp4" for i in range(6)]
LABELS = {p.split_name: {video: j == i % 6 for j, video in enumerate(VIDEOS)} for i, p in enumerate(PRIMITIVES)}


@dataclass
class FakeServer:
    """What the server holds: `labels` by file name, `files` by path in the data set. `broken` answers 500; `log` is what was asked for."""

    labels: dict[str, bytes]
    files: dict[str, bytes]
    broken: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        self.log.append(path)
        name = path.rsplit("/", 1)[-1]
        if name in self.broken:
            return 500, b"", {}
        if path.startswith("/labels/"):
            return (200, self.labels[name], {}) if name in self.labels else (404, b"", {})
        if path.startswith(f"/api/datasets/{REPO}"):
            listing = [{"type": "file", "path": p, "size": len(body), "oid": _digest(body)} for p, body in self.files.items()]
            return 200, json.dumps(listing if "/tree/" in path else {"id": REPO}).encode(), {}
        prefix = f"/datasets/{REPO}/resolve/main/"
        if path.startswith(prefix) and path.removeprefix(prefix) in self.files:
            body = self.files[path.removeprefix(prefix)]
            return 200, body, {"ETag": f'"{_digest(body)}"', "X-Repo-Commit": "0" * 40}
        return 404, b"", {"X-Error-Code": "RepoNotFound"}

    def fetched(self) -> list[str]:
        """File names of the videos that were asked for, each once."""
        return sorted({path.rsplit("/", 1)[-1] for path in self.log if "/resolve/" in path})


def _digest(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(with_body=True)

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def _send(self, *, with_body: bool) -> None:
            status, body, headers = server.answer(urlsplit(self.path).path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A server with 15 label files and 6 videos, two of them in a folder; the benchmark's counts are set to match."""
    labels = {
        f"{split}.jsonl": "\n".join(label_line(v, "Yes" if y else "No", split=split) for v, y in truth.items()).encode()
        for split, truth in LABELS.items()
    }
    places = [video if i < 4 else f"test/videos/{video}" for i, video in enumerate(VIDEOS)]
    fake = FakeServer(labels, {place: place.encode() * 50 for place in [*places, "README.md", "other.mp4"]})
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    fake.url = f"http://127.0.0.1:{http.server_port}"
    monkeypatch.setattr(camerabench_download, "POOLS", dict.fromkeys(LABELS, (6, 1)))
    yield fake
    http.shutdown()
    http.server_close()


@pytest.fixture
def fetch(server: FakeServer, tmp_path: Path) -> Callable[..., DownloadReport]:
    source = Source(f"{server.url}/labels", REPO, server.url)
    return lambda **options: download_camerabench(tmp_path / "cb", source=source, **options)


def test_flat_and_nested_videos_arrive_in_one_folder(fetch: Callable[..., DownloadReport], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    assert fetch(on_progress=lambda *numbers: told.append(numbers)) == DownloadReport(15, 6, 6)
    assert told == [(i, 6) for i in range(1, 7)]
    labelled_set = load_folder(tmp_path / "cb")
    assert (len(labelled_set.clips), labelled_set.num_rows) == (6, 90)
    assert sorted(p.name for p in (tmp_path / "cb" / "videos").iterdir()) == VIDEOS
    assert (tmp_path / "cb" / "videos" / "v5.5.mp4").read_bytes() == b"test/videos/v5.5.mp4" * 50
    assert sorted(p.name for p in (tmp_path / "cb").iterdir()) == ["binary_classification", "videos"]


def test_a_second_run_asks_for_nothing(fetch: Callable[..., DownloadReport], server: FakeServer) -> None:
    fetch()
    server.log.clear()
    assert fetch() == DownloadReport(0, 0, 6)
    assert server.log == []


def test_labels_only(fetch: Callable[..., DownloadReport], server: FakeServer, tmp_path: Path) -> None:
    assert fetch(labels_only=True) == DownloadReport(15)
    assert server.fetched() == []
    assert [p.name for p in (tmp_path / "cb").iterdir()] == ["binary_classification"]


def test_a_limit_takes_the_first_of_the_spread_and_can_be_raised(fetch: Callable[..., DownloadReport], server: FakeServer) -> None:
    assert fetch(limit=2) == DownloadReport(15, 2, 2)
    assert server.fetched() == VIDEOS[:2]
    server.log.clear()
    assert fetch(limit=4) == DownloadReport(0, 2, 4)
    assert server.fetched() == VIDEOS[2:4]


def test_a_broken_run_is_resumed(fetch: Callable[..., DownloadReport], server: FakeServer, tmp_path: Path) -> None:
    fetch(limit=3)
    del server.files["test/videos/v4.4.mp4"]
    assert fetch() == DownloadReport(0, 2, 5, ("v4.4.mp4",))
    server.files["v4.4.mp4"] = b"late"
    server.log.clear()
    assert fetch() == DownloadReport(0, 1, 6)
    assert server.fetched() == ["v4.4.mp4"]


def test_a_server_error_stops_with_what_has_arrived(
    fetch: Callable[..., DownloadReport], server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, root: Path, source: Source) -> None:
        raise ConnectionResetError(f"reset while sending {path}\nmore lines")

    fetch(limit=2)
    monkeypatch.setattr(camerabench_download, "_fetch_video", refuse)
    with pytest.raises(DownloadError, match=r"stopped at v\d\.\d\.mp4 \(reset while sending .*\); run the same command again") as caught:
        fetch()
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in (tmp_path / "cb" / "videos").iterdir()) == VIDEOS[:2]


@pytest.mark.parametrize("break_it", ["missing", "error", "short", "page", "other"])
def test_labels_come_all_or_none(break_it: str, fetch: Callable[..., DownloadReport], server: FakeServer, tmp_path: Path) -> None:
    name = "Tilt_Up.jsonl"
    sentence = {
        "missing": r"Tilt_Up\.jsonl answered 404 Not Found",
        "error": r"Tilt_Up\.jsonl answered 500",
        "short": "sent 5 labels, 1 of them Yes, instead of 6 and 1",
        "page": "did not send CameraBench's labels",
        "other": "did not send CameraBench's labels .*does not belong",
    }[break_it]
    if break_it == "missing":
        del server.labels[name]
    elif break_it == "error":
        server.broken.add(name)
    elif break_it == "short":
        server.labels[name] = b"\n".join(server.labels[name].split(b"\n")[:5])
    else:
        server.labels[name] = b"<html>" if break_it == "page" else server.labels["Tilt_Down.jsonl"]
    with pytest.raises(DownloadError, match=sentence):
        fetch()
    assert not (tmp_path / "cb").exists()
    assert server.fetched() == []


def test_archives_instead_of_videos_are_named(fetch: Callable[..., DownloadReport], server: FakeServer) -> None:
    server.files = {"README.md": b"", "part2.zip": b"", "part1.zip": b""}
    with pytest.raises(DownloadError, match=r"holds none of the wanted videos, but archives such as part1\.zip; download and unpack them"):
        fetch()


def test_a_data_set_that_is_not_given_out(server: FakeServer, tmp_path: Path) -> None:
    source = Source(f"{server.url}/labels", "someone/gone", server.url)
    with pytest.raises(DownloadError, match="Hugging Face does not give out someone/gone: it may have moved, or need `hf auth login`"):
        download_camerabench(tmp_path, source=source)


@pytest.fixture
def closed_port() -> str:
    """Address of a port on which nobody listens: what a machine without network sees, at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_offline_leaves_nothing_behind(closed_port: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"cannot reach .*Move_In\.jsonl \(.*refused\); this needs a network connection") as caught:
        download_camerabench(tmp_path / "cb", source=Source(closed_port, REPO, closed_port))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cb").exists()


def test_offline_for_the_videos_keeps_the_labels(closed_port: str, server: FakeServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"cannot reach http.*someone/Videos"):
        download_camerabench(tmp_path, source=Source(f"{server.url}/labels", REPO, closed_port))
    assert len(list((tmp_path / "binary_classification").iterdir())) == 15


def test_other_questions_come_beside_the_labels_and_cost_nothing_where_they_do_not(server: FakeServer, tmp_path: Path) -> None:
    pair = json.dumps({"pos_video": VIDEOS[0], "neg_video": VIDEOS[1]}).encode()
    server.labels |= {f"{name.rsplit('/', 1)[-1]}.jsonl": pair for name in QUESTIONS}
    server.labels["is_tracking.jsonl"] = b"<html>"
    server.broken.add("has_motion_blur_or_not.jsonl")
    source = Source(f"{server.url}/labels", REPO, server.url, questions_url=f"{server.url}/labels/vqa")
    report = download_camerabench(tmp_path / "cb", labels_only=True, source=source)
    assert report.questions_missing == ("tracking_shot/is_tracking", "motion_speed/has_motion_blur_or_not")
    parts = parts_of(load_folder(tmp_path / "cb", allow_missing=True)).parts
    assert {part.name: sorted(part.videos) for part in parts if part.group == "scene"} == {
        "static scene": [VIDEOS[0]],
        "dynamic scene": [VIDEOS[1]],
    }
    server.log.clear()
    download_camerabench(tmp_path / "cb", labels_only=True, source=source)
    assert sorted(path.rsplit("/", 1)[-1] for path in server.log) == ["has_motion_blur_or_not.jsonl", "is_tracking.jsonl"]


def test_without_huggingface_hub(fetch: Callable[..., DownloadReport], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("huggingface_hub"):
            raise ImportError(name)
        return plain_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"pip install 'sfmcam\[data\]'"):
        fetch()
    assert not (tmp_path / "cb").exists()
    assert fetch(labels_only=True).labels_fetched == 15


def test_a_folder_that_cannot_be_made(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make the folder"):
        download_camerabench(tmp_path / "file" / "cb", source=Source(f"{server.url}/labels", REPO, server.url))


def test_the_labels_are_those_of_one_commit() -> None:
    commit = CAMERABENCH_SOURCE.labels_url.split("/")[5]
    assert len(commit) == 40
    assert CAMERABENCH_SOURCE.questions_url is not None
    assert CAMERABENCH_SOURCE.questions_url.split("/")[5] == commit
    assert CAMERABENCH_SOURCE.repo == "syCen/Videos4CameraBench"
