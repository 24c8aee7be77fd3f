"""What the estimator saw: some frames of the shot with the points followed through them, static or moving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfmcam.errors import InputError
from sfmcam.io.atomic import replacing
from sfmcam.motion.track_count import TrackCount, count_tracks
from sfmcam.types import PointTracks
from sfmcam.viz.lettering import INK, LINE, SOFT, font, shorten
from sfmcam.viz.moments import TAIL_S, Moments
from sfmcam.viz.timecolor import shown_times
from sfmcam.viz.tracks_layout import CAPTION_PX, HEADER_PX, MARGIN_PX, Layout, lay_out
from sfmcam.viz.tracks_panel import MOVING_RGB, STATIC_RGB, UNJUDGED_RGB, paint_panel, tails_at

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw


def render_tracks_png(path: Path, *, tracks: PointTracks, moments: Moments, title: str) -> None:
    """Write the picture, at most 1600 pixels wide and 1210 high.

    Args:
        path: PNG file to write; its folder exists.
        tracks: what is drawn.
        moments: the frames to show.
        title: heading.

    Raises:
        InputError: there is no track or no frame to show, or the file cannot be written.
    """
    if not len(tracks) or not moments.frames:
        raise InputError("no point was followed, so there is nothing to draw")
    from PIL import Image, ImageDraw

    layout = lay_out(len(moments.frames), tracks.size_px)
    picture = Image.new("RGB", layout.size_px, "white")
    pen = ImageDraw.Draw(picture)
    _write_header(pen, title, count_tracks(tracks.static_probability), width_px=layout.size_px[0], tail=_tail_in_words(moments))
    for index in range(len(moments.frames)):
        _place_panel(picture, pen, index, tracks=tracks, moments=moments, layout=layout)
    with replacing(path) as part:
        picture.save(part, format="PNG", compress_level=4)


def _place_panel(picture: Any, pen: ImageDraw, index: int, *, tracks: PointTracks, moments: Moments, layout: Layout) -> None:
    from PIL import Image

    frame, times_s = moments.frames[index], moments.timestamps_s
    since = min(int(np.searchsorted(times_s, times_s[frame] - TAIL_S - 1e-6)), max(frame - 1, 0))
    tails = tails_at(tracks, frame, since=since)
    static_probability = tracks.static_probability[tails.track]
    ground = moments.images[index] if moments.images else None
    scale = layout.panel_px[0] / tracks.size_px[0]
    panel = paint_panel(ground, tails, static_probability, px_per_px=scale, size_px=layout.panel_px)
    x, y = layout.corner(index)
    picture.paste(Image.fromarray(panel), (x, y))
    middle = y + layout.panel_px[1] + CAPTION_PX // 2 - 2
    pen.text((x, middle), f"{shown_times(times_s)[frame]:.2f} s", font=font(18, bold=True), fill=INK, anchor="lm")
    words = ", ".join(count_tracks(static_probability).in_words())
    pen.text((x + layout.panel_px[0], middle), words, font=font(17), fill=SOFT, anchor="rm")


def _tail_in_words(moments: Moments) -> str:
    steps_s = np.diff(moments.timestamps_s)
    return "step" if len(steps_s) and float(np.median(steps_s)) > TAIL_S else "half second"


def _write_header(pen: ImageDraw, title: str, count: TrackCount, *, width_px: int, tail: str) -> None:
    room = width_px - 2 * MARGIN_PX
    one_line = " ".join(title.split())
    pen.text((MARGIN_PX, 12), shorten(one_line, width_px=room, letters=font(27, bold=True)), font=font(27, bold=True), fill=INK)
    colors = {"static": STATIC_RGB, "moving": MOVING_RGB, "judged": UNJUDGED_RGB}
    x, y = float(MARGIN_PX), 62
    for words in count.in_words():
        pen.ellipse((x, y - 8, x + 16, y + 8), fill=colors[words.rsplit(" ", 1)[1]])
        pen.text((x + 24, y), words, font=font(19), fill=INK, anchor="lm")
        x += 24 + font(19).getlength(words) + 28
    told = f"points followed through the shot;  tails: the last {tail};  mixed colours: not sure"
    pen.text((x, y), shorten(told, width_px=width_px - MARGIN_PX - x, letters=font(19)), font=font(19), fill=SOFT, anchor="lm")
    pen.line([(0, HEADER_PX), (width_px, HEADER_PX)], fill=LINE, width=2)
