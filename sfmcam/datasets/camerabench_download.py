"""Fetching CameraBench: labels from its repository, videos from Hugging Face.

Every file appears whole under its final name or not at all, so a run that breaks off is resumed by running it again. The labels are those
of one commit, checked against `camerabench.POOLS`; they are CC BY 4.0. The clips are third-party material.
"""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sfmcam.datasets.camerabench import POOLS
from sfmcam.datasets.folder import LABELS_FOLDER, VIDEOS_FOLDER, load_folder, read_label_file
from sfmcam.datasets.labelled_set import spread_videos
from sfmcam.datasets.parts import QUESTIONS, QUESTIONS_FOLDER, read_pairs
from sfmcam.errors import DownloadError, LabelError, MissingDependencyError
from sfmcam.io.atomic import replacing
from sfmcam.io.text_file import make_folder

TIMEOUT_S = 30.0
CONNECTIONS = 4  # few: the server slows down those who ask for many files at once
PARTS_FOLDER = ".download"
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".parquet")

Progress = Callable[[int, int], None]  # videos here so far, videos wanted


@dataclass(frozen=True)
class Source:
    """Where the benchmark is.

    Attributes:
        labels_url: address of the folder of label files.
        repo: Hugging Face data set with the videos, flat or in folders.
        endpoint: address of the Hugging Face server; None for huggingface_hub's own choice (HF_ENDPOINT).
        questions_url: address of the folder of other questions, which tell parts of the set apart; None to leave them out.
    """

    labels_url: str
    repo: str
    endpoint: str | None = None
    questions_url: str | None = None


_DATA_URL = "https://raw.githubusercontent.com/linzhiqiu/t2v_metrics/880a5b87b018712e7d5f1beeffa7ebeb4be862cf/camerabench/data"
CAMERABENCH_SOURCE = Source(
    labels_url=f"{_DATA_URL}/binary_classification",
    repo="syCen/Videos4CameraBench",
    questions_url=f"{_DATA_URL}/{QUESTIONS_FOLDER}",
)


@dataclass(frozen=True)
class DownloadReport:
    """What a download did.

    Attributes:
        labels_fetched: label files that were new.
        videos_fetched: videos that were new.
        videos_present: wanted videos that are here now.
        unavailable: wanted videos that the server does not have.
        questions_missing: files of other questions that could not be had: `sfmcam evaluate --subsets` then has fewer parts.
    """

    labels_fetched: int
    videos_fetched: int = 0
    videos_present: int = 0
    unavailable: tuple[str, ...] = ()
    questions_missing: tuple[str, ...] = ()


def download_camerabench(
    root: Path,
    *,
    labels_only: bool = False,
    limit: int | None = None,
    source: Source = CAMERABENCH_SOURCE,
    on_progress: Progress | None = None,
) -> DownloadReport:
    """Fetch what is not in `root` yet.

    Args:
        root: folder of the set, made when the first file arrives.
        labels_only: leave the videos out.
        limit: at most so many videos, spread over the tasks (the first of `spread_videos`).
        source: the servers.
        on_progress: told of every video.

    Raises:
        DownloadError: a server cannot be reached, refuses, or sends something else than the benchmark.
        MissingDependencyError: videos are wanted and huggingface_hub is not installed.
        InputError: the folder cannot be written.
    """
    if not labels_only:
        _require_huggingface_hub()
    labels_fetched = _fetch_labels(root / LABELS_FOLDER, source)
    questions_missing = _fetch_questions(root / QUESTIONS_FOLDER, source)
    if labels_only:
        return DownloadReport(labels_fetched, questions_missing=questions_missing)
    labelled_set = load_folder(root, name="camerabench", allow_missing=True)
    missing = set(labelled_set.missing_videos)
    wanted = spread_videos(labelled_set.rows)[:limit]
    todo = [video for video in wanted if video in missing]
    if not todo:
        return DownloadReport(labels_fetched, 0, len(wanted), questions_missing=questions_missing)
    path_of = _list_videos(source)
    available = {video: path_of[video] for video in todo if video in path_of}
    _require_some(available, path_of, source)
    present = len(wanted) - len(todo)
    for fetched, _ in enumerate(_fetch_videos(available, root, source), 1):
        if on_progress is not None:
            on_progress(present + fetched, len(wanted))
    shutil.rmtree(root / PARTS_FOLDER, ignore_errors=True)
    unavailable = tuple(video for video in todo if video not in path_of)
    return DownloadReport(labels_fetched, len(available), present + len(available), unavailable, questions_missing)


def _require_huggingface_hub() -> None:
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("fetching videos needs the package huggingface_hub: pip install 'sfmcam[data]'") from error


def _fetch_labels(folder: Path, source: Source) -> int:
    """Fetch the missing label files: all of them or, when anything is wrong with one, none."""
    urls = {split: f"{source.labels_url}/{split}.jsonl" for split in POOLS if not (folder / f"{split}.jsonl").is_file()}
    contents = {split: _get(url) for split, url in urls.items()}
    for split, content in contents.items():
        _require_whole(content, split, urls[split])
    for split, content in contents.items():
        with replacing(make_folder(folder) / f"{split}.jsonl") as part:
            part.write_bytes(content)
    return len(contents)


def _fetch_questions(folder: Path, source: Source) -> tuple[str, ...]:
    """Fetch the missing files of other questions; return those that could not be had, which costs a table and not the benchmark."""
    if source.questions_url is None:
        return ()
    missing = []
    for name in QUESTIONS:
        path = folder / f"{name}.jsonl"
        if path.is_file():
            continue
        try:
            content = _get(f"{source.questions_url}/{name}.jsonl")
            make_folder(path.parent)
            with replacing(path) as part:
                part.write_bytes(content)
                read_pairs(part)
        except (DownloadError, LabelError):
            missing.append(name)
    return tuple(missing)


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url} answered {error.code} {error.reason}; CameraBench's labels may have moved") from error
    except (OSError, HTTPException) as error:
        raise DownloadError(_offline(url, error)) from error


def _offline(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return f"cannot reach {url} ({reason}); this needs a network connection: check it and run the same command again"


def _require_whole(content: bytes, split: str, url: str) -> None:
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{split}.jsonl"
        path.write_bytes(content)
        try:
            rows = read_label_file(path)
        except LabelError as error:
            raise DownloadError(f"{url} did not send CameraBench's labels ({str(error).removeprefix(f'{path}, ')})") from error
    found = (len(rows), sum(row.label for row in rows))
    if found != POOLS[split]:
        raise DownloadError(f"{url} sent {found[0]} labels, {found[1]} of them Yes, instead of {POOLS[split][0]} and {POOLS[split][1]}")


def _list_videos(source: Source) -> dict[str, str]:
    """Return file name -> path in the repository; of two files of one name, the one less deep in folders."""
    from huggingface_hub import HfApi, constants

    endpoint = source.endpoint or constants.ENDPOINT
    _require_reachable(f"{endpoint}/api/datasets/{source.repo}")
    with _one_sentence(source, "the list of its files"):
        paths = HfApi(endpoint=endpoint).list_repo_files(source.repo, repo_type="dataset")
    deepest_first = sorted(paths, key=lambda path: (-path.count("/"), path))
    return {PurePosixPath(path).name: path for path in deepest_first}


def _require_reachable(url: str) -> None:
    """Ask once before huggingface_hub does: offline, it would retry for half a minute first."""
    try:
        urllib.request.urlopen(url, timeout=TIMEOUT_S).close()
    except urllib.error.HTTPError:
        return  # there is a server; huggingface_hub knows better what its answer means
    except (OSError, HTTPException) as error:
        raise DownloadError(_offline(url, error)) from error


def _require_some(available: dict[str, str], listing: dict[str, str], source: Source) -> None:
    if available:
        return
    archives = sorted(path for path in listing.values() if path.endswith(ARCHIVES))
    held = (
        f"but archives such as {archives[0]}; download and unpack them" if archives else f"among its {len(listing)} files; get the videos"
    )
    raise DownloadError(f"the data set {source.repo} holds none of the wanted videos, {held} into {VIDEOS_FOLDER}/ by hand")


def _fetch_videos(path_of: dict[str, str], root: Path, source: Source) -> Iterator[str]:
    """Yield each video once it is in place."""
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="download") as executor:
        futures = {executor.submit(_fetch_video, path, root, source): video for video, path in path_of.items()}
        try:
            for future in as_completed(futures):
                with _one_sentence(source, futures[future]):
                    future.result()
                yield futures[future]
        finally:
            executor.shutdown(cancel_futures=True)


def _fetch_video(path: str, root: Path, source: Source) -> None:
    from huggingface_hub import hf_hub_download

    parts = root / PARTS_FOLDER
    arrived = Path(hf_hub_download(source.repo, path, repo_type="dataset", local_dir=parts, endpoint=source.endpoint))
    arrived.replace(make_folder(root / VIDEOS_FOLDER) / arrived.name)


@contextmanager
def _one_sentence(source: Source, what: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into a DownloadError."""
    from huggingface_hub import errors

    # HfHubHTTPError derives from the root error of the HTTP library in use, which differs between versions of huggingface_hub
    stopped: tuple[type[BaseException], ...] = (OSError, *errors.HfHubHTTPError.__bases__, getattr(errors, "XetDownloadError", OSError))
    try:
        yield
    except errors.RepositoryNotFoundError as error:  # also: it needs a login
        raise DownloadError(f"Hugging Face does not give out {source.repo}: it may have moved, or need `hf auth login`") from error
    except stopped as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DownloadError(f"the download of {source.repo} stopped at {what} ({reason}); run the same command again to go on") from error
