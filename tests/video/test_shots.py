"""Cuts and dissolves end a shot; flashes, flicker, repeated frames, fast pans and passing movers do not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from make_videos import panned, write_video
from shared_data import SHARED, needs_shared

from sfmcam.config import FrameConfig
from sfmcam.types import UInt8
from sfmcam.video.blend import BlendFinder
from sfmcam.video.cuts import is_sudden
from sfmcam.video.shots import find_shots
from sfmcam.video.similarity import Look, continuity, correlation, same_scene
from sfmcam.video.source import load_shots

FPS = 25
BLACK = np.zeros((108, 192, 3), np.uint8)


def shots_of(pictures: list[UInt8], fps: float = FPS) -> list[tuple[int, int]]:
    return [(shot.start, shot.stop) for shot in find_shots((gray(p), i / fps) for i, p in enumerate(pictures))]


def gray(picture: UInt8) -> UInt8:
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def mixed(old: list[UInt8], new: list[UInt8], share: float, i: int) -> UInt8:
    return np.asarray(cv2.addWeighted(old[i], 1 - share, new[i], share, 0), np.uint8)


def dissolve(num_mixed: int, *, before: int = 25, after: int = 25) -> list[UInt8]:
    """A pan dissolves into another and both go on moving; a long dissolve is between still pictures."""
    length = before + num_mixed + after
    old, new = (panned(seed, length, step_px=1 if num_mixed < 8 else 0) for seed in (1, 2))
    shares = np.clip((np.arange(length) - before + 1) / (num_mixed + 1), 0, 1)
    return [mixed(old, new, float(share), i) for i, share in enumerate(shares)]


@pytest.mark.parametrize("at", [1, 2, 3, 20, 37, 38, 39])
def test_a_cut_is_found_on_its_frame(at: int) -> None:
    assert shots_of(panned(1, at) + panned(2, 40 - at)) == [(0, at), (at, 40)]


def test_several_cuts() -> None:
    pieces = [panned(seed, n) for seed, n in ((1, 30), (2, 12), (3, 5), (1, 20))]
    edges = [0, *itertools.accumulate(len(p) for p in pieces)]
    assert shots_of(list(itertools.chain.from_iterable(pieces))) == list(itertools.pairwise(edges))


@pytest.mark.parametrize("fps", [4, 60])
@pytest.mark.parametrize("step_px", [0, 1, 6, 20])
def test_a_cut_between_fast_or_still_shots(fps: float, step_px: int) -> None:
    pictures = panned(5, 20, step_px=step_px) + panned(6, 20, step_px=step_px)
    assert shots_of(pictures, fps) == [(0, 20), (20, 40)]


@pytest.mark.parametrize("step_px", [0, 1, 5, 20, 60])
def test_a_camera_move_is_one_shot(step_px: int) -> None:
    assert shots_of(panned(3, 40, step_px=step_px)) == [(0, 40)]


def test_a_whip_pan_is_one_shot() -> None:
    wide = np.concatenate(panned(4, 1, width=1200), axis=1)
    places = np.concatenate([np.full(10, 0), np.linspace(0, 900, 10)[1:-1] ** 1.0, np.full(10, 900)]).astype(int)
    blurred = [cv2.blur(wide, (max(1, int(s)), 1)) for s in np.abs(np.gradient(places))]
    assert shots_of([np.ascontiguousarray(b[:, x : x + 192]) for b, x in zip(blurred, places, strict=True)]) == [(0, 28)]


@pytest.mark.parametrize("repeats", [2, 3, 5])
def test_frames_shown_several_times_are_no_cuts(repeats: int) -> None:
    pictures = [p for p in panned(7, 14, step_px=12) for _ in range(repeats)]
    assert shots_of(pictures) == [(0, 14 * repeats)]
    both = pictures + [p for p in panned(8, 14, step_px=12) for _ in range(repeats)]
    assert shots_of(both) == [(0, 14 * repeats), (14 * repeats, 28 * repeats)]


@pytest.mark.parametrize("strength", [(1.0,), (0.9, 1.0, 0.6, 0.3), (0.5, 0.5)])
def test_a_flash_is_no_cut(strength: tuple[float, ...]) -> None:
    pictures = panned(9, 40)
    for i, share in enumerate(strength):
        pictures[20 + i] = mixed(pictures, [np.full_like(p, 255) for p in pictures], share, 20 + i)
    assert shots_of(pictures) == [(0, 40)]


def test_flicker_is_no_cut() -> None:
    rng = np.random.default_rng(0)
    pictures = [(p * rng.uniform(0.4, 1)).astype(np.uint8) for p in panned(10, 40)]
    assert shots_of(pictures) == [(0, 40)]


def test_a_passing_mover_is_no_cut() -> None:
    pictures, mover = panned(11, 40), panned(12, 1)[0]
    for i in range(8):
        left = int((i / 7 * 1.8 - 0.9) * 192)
        begin, end = max(0, left), min(192, left + 172)
        pictures[16 + i][:, begin:end] = mover[:, begin - left : end - left]
    assert shots_of(pictures) == [(0, 40)]


@pytest.mark.parametrize("num_mixed", [1, 2, 4, 8, 15])
def test_mixed_frames_belong_to_no_shot(num_mixed: int) -> None:
    (begin, old_end), (new_begin, end) = shots_of(dissolve(num_mixed))
    assert (begin, end) == (0, 50 + num_mixed)
    assert 25 - 3 <= old_end <= 25 + 1 + num_mixed // 6
    assert 25 + num_mixed - 1 - num_mixed // 6 <= new_begin <= 25 + num_mixed + 3


def test_fades_through_black_leave_no_black_shot() -> None:
    old, new, dark = panned(1, 40), panned(2, 40), [BLACK] * 40
    out = [mixed(old, dark, i / 10, 20 + i) for i in range(1, 11)]
    back = [mixed(dark, new, i / 10, i) for i in range(1, 11)]
    pictures = old[:21] + out + [BLACK] * 15 + back + new[11:40]
    (begin, old_end), (new_begin, end) = shots_of(pictures)
    assert (begin, end) == (0, len(pictures))
    assert 18 <= old_end <= 23
    assert 52 <= new_begin <= 60


def test_a_black_leader_is_no_shot() -> None:
    assert shots_of([BLACK] * 12 + panned(1, 20)) == [(12, 32)]


def test_all_black_is_one_shot() -> None:
    assert shots_of([BLACK] * 12) == [(0, 12)]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_very_short_inputs(number: int) -> None:
    assert shots_of(panned(1, 4)[:number]) == ([(0, number)] if number else [])


def captioned(picture: UInt8) -> UInt8:
    picture = picture.copy()
    cv2.putText(picture, "a line that stays", (10, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.rectangle(picture, (150, 4), (188, 18), (0, 0, 255), 2)
    return picture


def letterboxed(picture: UInt8) -> UInt8:
    picture = picture.copy()
    picture[:22] = picture[-22:] = 0
    return picture


def pillarboxed(picture: UInt8) -> UInt8:
    picture = picture.copy()
    picture[:, :65] = picture[:, -65:] = 0
    return picture


@pytest.mark.parametrize("dress", [captioned, letterboxed, pillarboxed])
def test_captions_and_bars_do_not_hide_a_cut(dress: object) -> None:
    assert callable(dress)
    assert shots_of([dress(p) for p in panned(1, 20) + panned(2, 20)]) == [(0, 20), (20, 40)]


def look(picture: UInt8) -> Look:
    return Look(gray(picture))


@pytest.mark.parametrize("angle", [0, 15, 40])
@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("light", [0.5, 1.0])
def test_same_scene_under_motion_and_light(angle: float, zoom: float, light: float) -> None:
    picture = panned(13, 1)[0]
    moved = cv2.warpAffine(picture, cv2.getRotationMatrix2D((96, 54), angle, zoom), (192, 108), borderMode=cv2.BORDER_REFLECT)
    assert same_scene([(look(picture), look((moved * light).astype(np.uint8)))])


def test_different_scenes_are_never_the_same() -> None:
    looks = [look(panned(seed, 1)[0]) for seed in range(20, 32)]
    assert not same_scene(list(itertools.permutations(looks, 2)))


def test_correlation_of_what_is_not_black() -> None:
    a, b = (look(pillarboxed(panned(seed, 1)[0])) for seed in (1, 2))
    assert correlation(a, a) == pytest.approx(1)
    assert abs(correlation(a, b)) < 0.6
    assert np.isnan(correlation(look(BLACK), look(BLACK)))
    assert look(BLACK).is_blank
    assert not a.is_blank


def test_continuity_is_the_higher_of_unmoved_and_shifted() -> None:
    slow, fast, other = (panned(13, 10, step_px=step) for step in (1, 8, 0))
    assert continuity(look(slow[0]), look(slow[1])) > 0.9
    unmoved = float(np.vdot(look(fast[0]).unit_miniature, look(fast[4]).unit_miniature))
    assert continuity(look(fast[0]), look(fast[4])) > unmoved + 0.2
    assert continuity(look(fast[0]), look(fast[4]), enough=unmoved - 0.01) == pytest.approx(unmoved)
    assert continuity(look(panned(14, 1)[0]), look(other[0])) < 0.5
    assert np.isnan(continuity(look(BLACK), look(other[0])))


@pytest.mark.parametrize(
    ("changes", "sudden"),
    [
        ([3, 3, 3, 40, 3, 3, 3], {4}),
        ([3, 3, 3, 3], set()),
        ([40, 38, 41, 40, 39, 40], set()),  # a fast move
        ([1, 1, 5, 1, 1], set()),  # too small a change
        ([40, 2, 2, 2], {1}),  # the first frame is alone
        ([2, 2, 2, 40], {4}),  # the last frame is alone
        ([40, 2], {1}),
        ([40], set()),
        ([40, 40], set()),
        ([0, 0, 30, 0, 0], {3}),
    ],
)
def test_a_sudden_change_stands_out_from_those_around(changes: list[float], sudden: set[int]) -> None:
    known = [float("nan"), *changes]
    assert {at for at in range(1, len(known)) if is_sudden(known, at)} == sudden


def blends(pictures: list[UInt8]) -> set[tuple[int, int]]:
    """The mixtures that end with the last picture."""
    finder = BlendFinder()
    found = [finder.push(look(p), i / FPS) for i, p in enumerate(pictures)]
    return {(blend.last_before, blend.first_after) for blend in found[-1]}


@pytest.mark.parametrize("before", [6, 300])
@pytest.mark.parametrize("length", [2, 4, 8, 16])
def test_blend_ends_are_exact_on_a_pure_mixture(length: int, before: int) -> None:
    old, new = (panned(seed, 1) for seed in (1, 2))
    shares = [*[0.0] * before, *np.linspace(0, 1, length + 1)[1:]]
    assert (length, 0) in blends([mixed(old, new, s, 0) for s in shares])


def test_a_dimming_scene_is_no_blend() -> None:
    picture = panned(1, 1)[0]
    assert blends([(picture * s).astype(np.uint8) for s in np.linspace(1, 0.3, 20)]) == set()


def test_through_a_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "three.mp4", panned(1, 25) + panned(2, 25) + panned(3, 25))
    shots = load_shots(path, FrameConfig())
    assert [(s.start_s, s.end_s) for s in shots] == [(0, pytest.approx(0.96)), (1, pytest.approx(1.96)), (2, pytest.approx(2.96))]


def small_frames(name: str, *, last: int = 10_000) -> Iterator[UInt8]:
    assert SHARED is not None
    with av.open(str(SHARED / "clips" / "videos" / name)) as container:
        for frame in itertools.islice(container.decode(video=0), last):
            yield np.asarray(frame.reformat(256, 144, "gray", interpolation="AREA").to_ndarray(), np.uint8)


JOINS = [
    ("truck_hike.mp4", "static_hiker.mp4"),
    ("static_ducks.mp4", "dolly_out_boat.mp4"),
    ("ad_ml01_3.mp4", "pan_rhino.mp4"),
    ("roll_cw_shelf1.mp4", "re10k_0c9b371cc6225682.mp4"),
    ("static_gen_dutch.mp4", "drive_rain_pd2.mp4"),
]


@needs_shared("clips", "videos")
@pytest.mark.shared
@pytest.mark.parametrize(("one", "other"), JOINS)
def test_two_real_clips_joined(one: str, other: str) -> None:
    first, second = (list(small_frames(name, last=40)) for name in (one, other))
    assert shots_of(first + second) == [(0, len(first)), (len(first), len(first) + len(second))]


@pytest.mark.slow
@needs_shared("clips", "videos")
@pytest.mark.shared
def test_real_clips_of_one_shot_stay_whole() -> None:
    """fox_full leaves out 17 frames of its source between its frames 30 and 31 (its note in the manifest), a cut in all but name."""
    assert SHARED is not None
    cut = {}
    for path in sorted((SHARED / "clips" / "videos").glob("*.mp4")):
        shots = load_shots(path, FrameConfig(fps=1, max_frames=2))
        if len(shots) > 1:
            cut[path.name] = [shot.start_s for shot in shots]
    assert cut == {"fox_full.mp4": [0.0, 31 / 4]}
