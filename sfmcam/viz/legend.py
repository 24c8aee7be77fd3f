"""What makes a picture readable: title, facts, colour bar of time, axes, scale. Written over the drawing with Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sfmcam.types import Float, UInt8
from sfmcam.viz.lettering import INK, LINE, SOFT, font, shorten
from sfmcam.viz.scene import Scene
from sfmcam.viz.timecolor import time_colors
from sfmcam.viz.viewpoint import Viewpoint

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SIZE_PX = (1280, 960)
HEADER_PX, FOOTER_PX = 86, 62
SCENE_SIZE_PX = (SIZE_PX[0], SIZE_PX[1] - HEADER_PX - FOOTER_PX)
MARGIN_PX = 28
BELOW_HEADER = np.array([0.0, HEADER_PX])  # from the drawing's pixels to the picture's
AXES_LENGTH_PX, AXES_ROOM_PX = 50, 106  # arrow, and half the square that the three arrows and their names need
BAR_WIDTH_PX, BAR_HEIGHT_PX = 260, 14


def compose(drawing: UInt8, scene: Scene, view: Viewpoint, *, title: str) -> Any:
    """Return the finished picture (PIL image of SIZE_PX) around a drawing (H, W, 3) of SCENE_SIZE_PX."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", SIZE_PX, "white")
    picture.paste(Image.fromarray(drawing), (0, HEADER_PX))
    pen = ImageDraw.Draw(picture)
    pen.line([(0, HEADER_PX), (SIZE_PX[0], HEADER_PX)], fill=LINE, width=2)
    bottom = SIZE_PX[1] - FOOTER_PX
    pen.line([(0, bottom), (SIZE_PX[0], bottom)], fill=LINE, width=2)
    _write_header(pen, title, scene.facts)
    _write_ends(pen, scene, view)
    _draw_axes(pen, view, at=emptiest_corner(view.pixels(scene.in_view)) + BELOW_HEADER)
    _draw_time(pen, scene)
    _write_scale(pen, scene)
    return picture


def _write_header(pen: ImageDraw, title: str, facts: tuple[str, ...]) -> None:
    room = SIZE_PX[0] - 2 * MARGIN_PX
    one_line = " ".join(title.split())
    pen.text((MARGIN_PX, 12), shorten(one_line, width_px=room, letters=font(27, bold=True)), font=font(27, bold=True), fill=INK)
    line = "   \N{MIDDLE DOT}   ".join(facts)
    pen.text((MARGIN_PX, 51), shorten(line, width_px=room, letters=font(19)), font=font(19), fill=SOFT)


def _write_ends(pen: ImageDraw, scene: Scene, view: Viewpoint) -> None:
    """Name the first and the last camera beside their centres, on opposite sides where the two are near one another."""
    (start, end), colors = view.pixels(scene.dots.centers) + BELOW_HEADER, (scene.dots.colors * 175).astype(int)
    if np.linalg.norm(end - start) < 24:
        _label(pen, "start and end" if scene.span_s[1] > scene.span_s[0] else "camera", start, side=-1, color=colors[0])
        return
    side = 1 if end[0] > start[0] else -1
    _label(pen, "start", start, side=-side, color=colors[0])
    _label(pen, "end", end, side=side, color=colors[1])


def _label(pen: ImageDraw, text: str, at: Float, *, side: int, color: Float) -> None:
    letters = font(20, bold=True)
    width = letters.getlength(text)
    if not 0 < at[0] + side * (18 + width) < SIZE_PX[0]:
        side = -side
    x = float(np.clip(at[0] + side * 18 - (width if side < 0 else 0), 6, SIZE_PX[0] - 6 - width))
    y = float(np.clip(at[1] + 6, HEADER_PX + 6, SIZE_PX[1] - FOOTER_PX - 30))
    pen.text((x, y), text, font=letters, fill=tuple(int(c) for c in color), stroke_width=3, stroke_fill="white")


def emptiest_corner(pixels: Float) -> Float:
    """Return the middle (2,) of the corner of the drawing that the fewest of (K, 2) pixels are near."""
    width, height = SCENE_SIZE_PX
    near, far_x, far_y = AXES_ROOM_PX, width - AXES_ROOM_PX, height - AXES_ROOM_PX
    corners = np.array([(near, far_y), (far_x, far_y), (near, near), (far_x, near)], float)
    crowd = [np.exp(-((np.linalg.norm(pixels - corner, axis=1) / (1.5 * AXES_ROOM_PX)) ** 2)).sum() for corner in corners]
    return corners[int(np.argmin(np.round(crowd, 1)))]


def _draw_axes(pen: ImageDraw, view: Viewpoint, *, at: Float) -> None:
    """The first camera's right, up and in, as seen from here."""
    tips = view.eye_from_scene[:3, :3] @ np.array([(1, 0, 0), (0, -1, 0), (0, 0, 1)], float).T
    ends = at + tips[:2].T * AXES_LENGTH_PX
    for color, width in (((255, 255, 255), 9), (SOFT, 3)):  # a white rim first, so that lines behind do not cross the arrows
        for end in ends:
            pen.line([tuple(at), tuple(end)], fill=color, width=width)
    for name, end in zip(("right", "up", "in"), ends, strict=True):
        beyond = end + (end - at) / max(float(np.linalg.norm(end - at)), 1e-6) * 16
        pen.text(tuple(beyond), name, font=font(17), fill=INK, anchor="mm", stroke_width=3, stroke_fill="white")


def _draw_time(pen: ImageDraw, scene: Scene) -> None:
    left, top = MARGIN_PX + 62, SIZE_PX[1] - FOOTER_PX + 23
    pen.text((MARGIN_PX, top - 4), "time", font=font(18), fill=SOFT)
    colors = (time_colors(np.arange(BAR_WIDTH_PX, dtype=float)) * 255).astype(int)
    begin = f"{scene.span_s[0]:.1f} s"
    left += int(font(18).getlength(begin))
    pen.text((left - 12, top + 7), begin, font=font(18), fill=INK, anchor="rm")
    for x, color in enumerate(colors):
        pen.line([(left + x, top), (left + x, top + BAR_HEIGHT_PX)], fill=tuple(int(c) for c in color))
    pen.text((left + BAR_WIDTH_PX + 10, top + 7), f"{scene.span_s[1]:.1f} s", font=font(18), fill=INK, anchor="lm")


def _write_scale(pen: ImageDraw, scene: Scene) -> None:
    text = f"grid cell {scene.grid_cell:g} {scene.unit}    tick: top of the picture    grey: path on the ground"
    pen.text((SIZE_PX[0] - MARGIN_PX, SIZE_PX[1] - FOOTER_PX + 30), text, font=font(18), fill=SOFT, anchor="rm")
