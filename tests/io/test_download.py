"""A download is whole or goes on where it stopped, and nothing that was not expected gets the file's name."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sfmcam.errors import DownloadError, InputError
from sfmcam.io.download import Expected, download

CONTENT = bytes(range(256)) * 4096  # 1 MiB
RIGHT = Expected(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@dataclass
class Behaviour:
    """How the server answers: `stop_after` closes the connection after so many bytes, `page` sends HTML instead."""

    ranges: bool = True
    stop_after: int | None = None
    length: bool = True
    page: bool = False
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def url(behaviour: Behaviour) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            behaviour.asked.append(wanted)
            if self.path != "/weights.pth":
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and behaviour.ranges else 0
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.end_headers()
                return
            body = CONTENT[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
            self.send_header("Content-Type", "text/html; charset=utf-8" if behaviour.page else "application/octet-stream")
            if behaviour.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if behaviour.stop_after is None else body[: behaviour.stop_after])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/weights.pth"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "weights.pth"


def part_of(target: Path) -> Path:
    return target.with_name("weights.pth.part")


def test_whole(url: str, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    assert download(url, target, expected=RIGHT, on_progress=lambda *seen: told.append(seen)) == RIGHT.sha256
    assert target.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert not part_of(target).exists()


def test_nothing_is_known_beforehand(url: str, target: Path, behaviour: Behaviour) -> None:
    behaviour.length = False
    assert download(url, target, expected=Expected()) == RIGHT.sha256


def test_goes_on_where_it_stopped(url: str, target: Path, behaviour: Behaviour) -> None:
    behaviour.stop_after = 300_000
    with pytest.raises(DownloadError, match=f"stopped after 300000 of {len(CONTENT)} bytes; run the same command again"):
        download(url, target, expected=RIGHT)
    assert not target.exists()
    behaviour.stop_after = None
    assert download(url, target, expected=RIGHT) == RIGHT.sha256
    assert behaviour.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_sends_all_of_it_again(url: str, target: Path, behaviour: Behaviour) -> None:
    behaviour.ranges = False
    part_of(target).parent.mkdir()
    part_of(target).write_bytes(b"x" * 1000)
    assert download(url, target, expected=RIGHT) == RIGHT.sha256


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more"], ids=["whole", "too long"])
def test_nothing_is_left_to_fetch(left: bytes, url: str, target: Path) -> None:
    part_of(target).parent.mkdir()
    part_of(target).write_bytes(left)
    assert download(url, target, expected=RIGHT) == RIGHT.sha256
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("expected", "said"),
    [(Expected(5, None), "bytes instead of 5"), (Expected(None, "0" * 64), "SHA-256 .* instead of 0000")],
    ids=["size", "hash"],
)
def test_something_else_than_expected(expected: Expected, said: str, url: str, target: Path) -> None:
    with pytest.raises(DownloadError, match=said):
        download(url, target, expected=expected)
    assert not list(target.parent.iterdir())


def test_a_damaged_start_is_not_kept(url: str, target: Path) -> None:
    part_of(target).parent.mkdir()
    part_of(target).write_bytes(b"x" * 1000)
    with pytest.raises(DownloadError, match="what arrived was removed"):
        download(url, target, expected=RIGHT)
    assert download(url, target, expected=RIGHT) == RIGHT.sha256


def test_a_page_instead_of_the_file(url: str, target: Path, behaviour: Behaviour) -> None:
    behaviour.page = True
    with pytest.raises(DownloadError, match="sent a web page instead of the file"):
        download(url, target, expected=RIGHT)
    assert not list(target.parent.iterdir())


def test_not_found(url: str, target: Path) -> None:
    with pytest.raises(DownloadError, match="answered 404"):
        download(url.replace("weights.pth", "gone.pth"), target, expected=RIGHT)
    assert not list(target.parent.iterdir())


def test_nobody_there(target: Path) -> None:
    with pytest.raises(DownloadError, match="cannot fetch http:"):
        download("http://127.0.0.1:1/x", target, expected=RIGHT)


def test_a_folder_that_cannot_be(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot make the folder"):
        download(url, tmp_path / "file" / "weights.pth", expected=RIGHT)
