"""A clip's result for a person: what happened, how the camera moved, how sure that is, and where the files are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sfmcam.cli.percent import percent
from sfmcam.motion.measurement import DOF_KEYS
from sfmcam.motion.primitive import PRIMITIVE_BY_ID, PRIMITIVES, ROTATION_DOFS, TRANSLATION_DOFS, Dof, Primitive
from sfmcam.motion.track_count import TrackCount
from sfmcam.results import ClipResult, ShotResult
from sfmcam.types import Status
from sfmcam.workspace import ClipFolder

BAR_WIDTH = 14
MAX_PRIMITIVES = 5
WEAK = 0.002  # scores below this are noise under either scoring ...
WEAK_SHARE = 0.03  # ... as are those below this share of the strongest
LIKELY = 0.5
CLEAR_SIGMAS, HARDLY = 2.0, 0.2  # of a motion that is clearly the opposite one
UNLIKELY = 0.05  # and a probability below this is not worth a line
WORTH_TELLING_S = 0.05
SCORE_COLUMN = {"depth": ("score (picture widths)",), "probability": (), "camerabench": ("score (CameraBench)",)}


def summarise(result: ClipResult, *, folder: Path, scoring: str) -> RenderableType:
    """Return what is printed for one video."""
    parts: list[RenderableType] = [_headline(result)]
    for shot in result.shots:
        if len(result.shots) > 1:
            spoken = "  (speaks for the clip)" if shot is result.main_shot else ""
            parts.append(Text(f"  shot {shot.index + 1}, {shot.start_s:.2f} to {shot.end_s:.2f} s{spoken}", style="bold"))
        picture = ClipFolder(folder).shot(shot.index, num_shots=len(result.shots)).tracks_picture
        is_drawn = str(picture.relative_to(folder)) in shot.files
        parts += _shot_lines(shot, scoring=scoring, tracks_picture=picture if is_drawn else None)
    if result.failure is not None:
        parts += _failure_lines(result.failure.meaning, result.failure_message)
    parts += [Text(f"  note: {problem}", style="yellow") for problem in result.problems]
    parts.append(Text(f"  {_cost(result)}", style="dim"))
    parts.append(Text(f"  files: {folder}/" + ("" if result.status.is_success else f"; log: {ClipFolder(folder).log}")))
    return Group(*parts)


def _headline(result: ClipResult) -> Text:
    style = "bold green" if result.status.is_success else "bold red"
    return Text.assemble((result.clip_id, "bold"), "  ", (result.status.value, style))


def _shot_lines(shot: ShotResult, *, scoring: str, tracks_picture: Path | None) -> Iterator[RenderableType]:
    if not shot.status.is_success:
        yield from _failure_lines(shot.status.meaning, shot.message)
        return
    yield Text(f"  {shot.sentence}", style="bold")
    if shot.status.value != "ok":
        yield Text(f"  {shot.status.meaning}")
    if likely := _likely_moves(shot):
        yield Text(f"  Likely all the same, though within the bound of its error: {likely}.")
    if contrary := _likely_contrary(shot):
        yield Text(f"  The other way round explains the pictures about as well: {contrary}.")
    if shot.message:
        yield Text(f"  {shot.message}", style="dim")
    yield Text(f"  {_basis(shot)}")
    if shot.tracks is not None:
        yield Text(f"  {_tracks(shot.tracks)}" + (f"; picture: {tracks_picture}" if tracks_picture is not None else ""))
    yield Padding(_primitive_table(shot, scoring=scoring), (0, 0, 0, 2))


def _likely_moves(shot: ShotResult) -> str:
    """Name the translations that are likely in a shot whose status denies any: a size below its bound may still have a clear direction."""
    if shot.status is not Status.ROTATION_ONLY:
        return ""
    return _named(shot, [p for p in PRIMITIVES if p.dof in TRANSLATION_DOFS and shot.scores["probability"][p.id] > LIKELY])


def _likely_contrary(shot: ShotResult) -> str:
    """Name the directions that are likely though the path goes the opposite way: it is of one solution, likelihoods are of all."""
    return _named(
        shot, [p for p in PRIMITIVES if p.dof is not None and shot.scores["probability"][p.id] > LIKELY and _goes_against(shot, p)]
    )


def _goes_against(shot: ShotResult, primitive: Primitive) -> bool:
    """Whether the measured motion is clearly the opposite one, and hardly any of it this one."""
    assert primitive.dof is not None
    measured = shot.motion["dofs"][DOF_KEYS[primitive.dof]]
    if measured["net"] is None or measured["sigma"] is None:
        return False
    forth, back = (measured["rise"], measured["fall"])[:: primitive.sign]
    return bool(back > CLEAR_SIGMAS * measured["sigma"] and forth < HARDLY * back)


def _named(shot: ShotResult, primitives: list[Primitive]) -> str:
    """Name primitives with their probabilities, the likeliest first."""
    probable = shot.scores["probability"]
    names = sorted((p.id for p in primitives), key=lambda name: -probable[name])
    return ", ".join(f"{name} ({percent(probable[name])})" for name in names)


def _failure_lines(meaning: str, message: str) -> Iterator[RenderableType]:
    yield Text(f"  {meaning}")
    if message:
        yield Text(f"  {message}", style="dim")


def _basis(shot: ShotResult) -> str:
    """What the numbers rest on: frames, focal length, parallax."""
    parts = [f"{shot.num_frames} frames used, {shot.num_posed} with a pose"]
    if shot.focal_px is not None and shot.image_size_px is not None:
        field_of_view_deg = math.degrees(2 * math.atan(shot.image_size_px[0] / 2 / shot.focal_px))
        parts.append(f"focal length {shot.focal_px:.0f} px ({field_of_view_deg:.0f} deg across)")
    if (parallax_px := shot.evidence.get("parallax_px")) is not None:
        parts.append(f"parallax {parallax_px:.1f} px")
    if (error_px := shot.evidence.get("reprojection_error_px")) is not None:
        parts.append(f"reprojection error {error_px:.2f} px")
    return "; ".join(parts)


def _tracks(count: TrackCount) -> str:
    """How many points were followed, and on what."""
    judged = [f"{count.static} on the static scene", f"{count.moving} on what moves by itself"]
    parts = (judged if count.static + count.moving else []) + ([f"{count.unjudged} not judged"] if count.unjudged else [])
    return "points followed: " + ", ".join(parts)


def _primitive_table(shot: ShotResult, *, scoring: str) -> Table:
    """The strongest primitives: how far, how sure, how likely somebody says so, and the score as a bar."""
    scores, probable = shot.scores[scoring], shot.scores["probability"]
    longest = max(scores[p.id] for p in PRIMITIVES if p.dof is not None)
    weak = UNLIKELY if scoring == "probability" else max(WEAK, WEAK_SHARE * longest)
    ranked = sorted((p for p in PRIMITIVES if p.dof is not None and scores[p.id] > weak), key=lambda p: -scores[p.id])[:MAX_PRIMITIVES]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("primitive", "change", "+-", "likely", *SCORE_COLUMN[scoring], ""):
        table.add_column(name, justify="right" if name in ("change", "+-", "likely") else "left")
    for p in (*ranked, PRIMITIVE_BY_ID["static"]):
        change = _change(shot, p) if p.dof is not None else ("", "")
        score = [f"{scores[p.id]:+.3f}"] if SCORE_COLUMN[scoring] else []
        of_longest = scores[p.id] if scoring == "probability" else 0.0 if p.dof is None else scores[p.id] / longest
        bar = Text("#" * round(BAR_WIDTH * of_longest), style="cyan")
        table.add_row(p.id, *change, percent(probable[p.id]), *score, bar)
    return table


def _change(shot: ShotResult, primitive: Primitive) -> tuple[str, str]:
    """The net change along the primitive's axis, positive its way, with one sigma."""
    assert primitive.dof is not None
    measured = shot.motion["dofs"][DOF_KEYS[primitive.dof]]
    net, sigma = measured["net"], measured["sigma"]
    if net is None:
        return "unknown", ""
    along = primitive.sign * net
    if primitive.dof is Dof.ZOOM:
        return f"x{math.exp(along):.2f}", "" if sigma is None else f"{100 * sigma:.1f} %"
    unit, digits = ("deg", 1) if primitive.dof in ROTATION_DOFS else ("depths", 2)
    return f"{along:+.{digits}f} {unit}", "" if sigma is None else f"{sigma:.{digits}f}"


def _cost(result: ClipResult) -> str:
    seconds = result.seconds
    stages = {"decode": seconds.decode, "estimate": seconds.estimate, "score": seconds.score, "draw": seconds.draw}
    told = ", ".join(f"{name} {spent:.1f}" for name, spent in stages.items() if spent >= WORTH_TELLING_S)
    memory = f", {result.peak_mb:.0f} MiB" if result.peak_mb is not None else ""
    return f"{seconds.total:.1f} s" + (f" ({told})" if told else "") + memory
