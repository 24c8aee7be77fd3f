"""The training data as one file: sequences of small pictures with poses, focal lengths, disparities and masks, all compressed.

A pack is made where the rendered clips are (`prepare`), and read where the network is trained, which may be another
machine: reading needs numpy and OpenCV alone.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.errors import InputError
from sfmcam.io.atomic import replacing
from sfmcam.types import Float, UInt8

FORMAT = 2
CELL_PX = 4  # pixels of a stored picture per cell of its disparities and masks
WEBP_QUALITY = 86  # two thirds of JPEG's size, and without its fixed blocks, which would tell that nothing moves
MOVER, OVERLAID = 1, 2  # values of a mask; 0 is the static scene
MOST_THREADS = 16
FARTHEST_M, LOG_STEPS = 4000.0, 2000.0  # a code is 1 + LOG_STEPS * log(FARTHEST_M / depth_m): steps of 0.05 %
AGAIN = "make it again with `sfmcam train megasam --prepare`"
DAMAGE = (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class PackedSequence:
    """Some frames of one clip, in their order in time.

    Attributes:
        name: of the clip.
        held_out: whether it is for validation.
        pictures: (T, H, W, 3) uint8 RGB; H and W multiples of 8.
        poses: (T, 7) cam_from_world, translation in metres and quaternion xyzw.
        focals_px: (T,) in pixels of the pictures.
        disparity: (T, H/4, W/4) float32 1/m of the static scene, also where a mover hides it. Cell centres are (4 j + 1.5, 4 i + 1.5),
            the first pixel's centre being (0, 0).
        mask: (T, H/4, W/4) uint8, 0, MOVER or OVERLAID.
    """

    name: str
    held_out: bool
    pictures: UInt8
    poses: Float
    focals_px: Float
    disparity: Float32
    mask: UInt8


def write_pack(path: Path, sequences: Sequence[PackedSequence]) -> int:
    """Write sequences of pictures of one size into a pack, and return its size in bytes.

    Raises:
        InputError: there is no sequence, or the file cannot be written.
    """
    if not sequences:
        raise InputError(f"{path} would hold no sequence; give --prepare folders with rendered clips of the split train")
    pictures = [_webp(picture) for sequence in sequences for picture in sequence.pictures]
    codes = [_png(_codes(disparity)) for sequence in sequences for disparity in sequence.disparity]
    masks = [_png(mask) for sequence in sequences for mask in sequence.mask]
    meta = {
        "format": FORMAT,
        "height": sequences[0].pictures.shape[1],
        "width": sequences[0].pictures.shape[2],
        "sequences": [[s.name, len(s.pictures), int(s.held_out)] for s in sequences],
    }
    content = {
        "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8),
        "poses": np.concatenate([s.poses for s in sequences]),
        "focals_px": np.concatenate([s.focals_px for s in sequences]),
    }
    for name, files in (("picture", pictures), ("disparity", codes), ("mask", masks)):
        content[name] = np.concatenate(files)
        content[f"{name}_end"] = np.cumsum([len(file) for file in files])
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, **content)  # type: ignore[arg-type]
    return path.stat().st_size


def read_pack(path: Path) -> list[PackedSequence]:
    """Read a pack with every picture decoded: about 300 kB of memory for a frame of 240 x 320.

    Raises:
        InputError: it is not there, is of another version, or damaged.
    """
    if not path.is_file():
        raise InputError(f"there is no pack {path}; {AGAIN}")
    try:
        with np.load(path, allow_pickle=False) as npz:
            content = {name: npz[name] for name in npz.files}
        meta = json.loads(content["meta"].tobytes())
        version = meta["format"]
    except (*DAMAGE, AttributeError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a pack of training data ({error}); {AGAIN}") from error
    if version != FORMAT:
        raise InputError(f"{path} is a pack of version {version}, and this program reads version {FORMAT}; {AGAIN}")
    try:
        return list(_sequences(content, meta))
    except (*DAMAGE, cv2.error, IndexError) as error:
        raise InputError(f"{path} is damaged ({error}); {AGAIN}") from error


def _sequences(content: dict[str, NDArray], meta: dict) -> list[PackedSequence]:
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:  # OpenCV decodes outside the interpreter's lock
        pictures = list(pool.map(_rgb, _files(content, "picture")))
    disparities = [_disparity(_decoded(file)) for file in _files(content, "disparity")]
    masks = [_decoded(file) for file in _files(content, "mask")]
    out, first = [], 0
    for name, count, held_out in meta["sequences"]:
        part = slice(first, first + count)
        poses, focals = content["poses"][part], content["focals_px"][part]
        out.append(
            PackedSequence(
                name, bool(held_out), np.stack(pictures[part]), poses, focals, np.stack(disparities[part]), np.stack(masks[part])
            )
        )
        first += count
    return out


def _files(content: dict[str, NDArray], name: str) -> list[UInt8]:
    return np.split(content[name], content[f"{name}_end"][:-1])


def _rgb(file: UInt8) -> UInt8:
    return np.asarray(cv2.cvtColor(_decoded(file), cv2.COLOR_BGR2RGB), np.uint8)


def _webp(picture: UInt8) -> UInt8:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return np.asarray(cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1], np.uint8).ravel()


def _png(values: NDArray) -> UInt8:
    return np.asarray(cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1], np.uint8).ravel()


def _decoded(file: UInt8) -> NDArray:
    picture = cv2.imdecode(file, cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("a picture in it cannot be decoded")
    return np.asarray(picture)


def _codes(disparity: Float32) -> NDArray[np.uint16]:
    return np.clip(1 + np.rint(LOG_STEPS * np.log(np.maximum(disparity, 1 / FARTHEST_M) * FARTHEST_M)), 1, 65535).astype(np.uint16)


def _disparity(codes: NDArray) -> Float32:
    return (np.exp((codes.astype(np.float64) - 1) / LOG_STEPS) / FARTHEST_M).astype(np.float32)
