"""Depth models by name, and where on this machine they lie. Nothing here loads torch, and only `fetch` uses the network."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from sfmcam.errors import ConfigError, DownloadError, InputError, MissingDependencyError

FILES = ("config.json", "preprocessor_config.json", "*.safetensors", "*.safetensors.index.json")
WEIGHTS = ("*.safetensors", "*.safetensors.index.json")


@dataclass(frozen=True)
class KnownModel:
    """A published depth model in transformers' layout.

    Attributes:
        repo: its id at Hugging Face.
        gives: what, in words.
        licence: of the weights, as their model card states it.
        size_mb: of the download.
    """

    repo: str
    gives: str
    licence: str
    size_mb: int

    @property
    def page(self) -> str:
        """Address of its model card."""
        return f"https://huggingface.co/{self.repo}"


_RELATIVE, _METRIC = "relative disparity", "metric depth"
KNOWN: dict[str, KnownModel] = {
    "depth-anything-v2-small": KnownModel("depth-anything/Depth-Anything-V2-Small-hf", _RELATIVE, "Apache-2.0", 99),
    "depth-anything-v2-base": KnownModel("depth-anything/Depth-Anything-V2-Base-hf", _RELATIVE, "CC-BY-NC-4.0", 390),
    "depth-anything-v2-large": KnownModel("depth-anything/Depth-Anything-V2-Large-hf", _RELATIVE, "CC-BY-NC-4.0", 1340),
    "depth-anything-v2-metric-indoor-small": KnownModel(
        "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf", f"{_METRIC}, rooms", "not stated on the card", 99
    ),
    "depth-anything-v2-metric-outdoor-small": KnownModel(
        "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf", f"{_METRIC}, streets", "not stated on the card", 99
    ),
    "depth-pro": KnownModel("apple/DepthPro-hf", f"{_METRIC} and field of view", "apple-amlr (research)", 1900),
}


def find_model(name: str, cache: Path | None = None) -> Path:
    """Return the folder of a model: the named folder itself, or the model's copy in Hugging Face's cache.

    Args:
        name: of `KNOWN`, a folder, or `owner/name` at Hugging Face.
        cache: folder of that cache; None for Hugging Face's own choice.

    Raises:
        ConfigError: the name is neither known nor a folder nor an id.
        InputError: it is not on this machine, or not whole.
        MissingDependencyError: huggingface_hub is not installed and the name is no folder.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _whole(folder, f"the folder {folder}")
    repo = _repo(name)
    hub = _huggingface_hub()
    try:
        found = hub.snapshot_download(repo, cache_dir=cache, local_files_only=True, allow_patterns=list(FILES))
    except (OSError, ValueError) as error:
        looked = cache or hub.constants.HF_HUB_CACHE
        raise InputError(f"the depth model {name} is not on this machine (looked for {repo} in {looked}); {_advice(name)}") from error
    return _whole(Path(found), f"the copy of {repo} in {found}", advice=f"; {_advice(name)}")


def fetch_model(name: str, cache: Path | None = None) -> Path:
    """Download a model of `KNOWN`, or `owner/name`, into Hugging Face's cache; what is there already is kept. Return its folder.

    Raises:
        ConfigError: an unknown name.
        DownloadError: the server cannot be reached, or does not give it out.
        MissingDependencyError: huggingface_hub is not installed.
    """
    repo = _repo(name)
    hub = _huggingface_hub()
    try:
        found = hub.snapshot_download(repo, cache_dir=cache, allow_patterns=list(FILES))
    except (OSError, ValueError, *hub.errors.HfHubHTTPError.__bases__) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DownloadError(f"the download of {repo} stopped ({reason}); check the connection and run the same command again") from error
    return _whole(Path(found), f"the download of {repo}")


def _repo(name: str) -> str:
    if name in KNOWN:
        return KNOWN[name].repo
    if name.count("/") == 1 and not name.startswith(("/", ".", "~")) and not name.endswith("/"):
        return name
    near = difflib.get_close_matches(name, KNOWN, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ConfigError(f"there is no depth model or folder '{name}'.{hint} Known: {', '.join(KNOWN)}; or give a folder or an owner/name.")


def _advice(name: str) -> str:
    told = f" ({KNOWN[name].size_mb} MB, licence {KNOWN[name].licence})" if name in KNOWN else ""
    return f"fetch it with `sfmcam weights get {name}`{told}, or leave the depth prior out"


def _whole(folder: Path, what: str, advice: str = "") -> Path:
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any(next(folder.glob(pattern), None) for pattern in WEIGHTS):
        missing.append("model.safetensors")
    if missing:
        raise InputError(f"{what} is no depth model in transformers' layout: it has no {' and no '.join(missing)}{advice}")
    return folder


def _huggingface_hub():  # type: ignore[no-untyped-def]
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ImportError as error:
        raise MissingDependencyError("depth models by name need the package huggingface_hub: pip install 'sfmcam[data]'") from error
    return huggingface_hub
