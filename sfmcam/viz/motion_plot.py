"""The motion over time in three panels: what the camera turned, where it went, how it zoomed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.errors import InputError
from sfmcam.motion.depth import DepthSource
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import Dof
from sfmcam.types import Float
from sfmcam.viz.timecolor import shown_times

SIZE_INCHES, DPI = (12.0, 8.4), 100
LEAST_SPAN = {"deg": 4.0, "depth": 0.08, "ratio": 0.05}  # a panel never shows less, so that noise does not fill it
Y_MARGIN = 0.12


@dataclass(frozen=True)
class _Line:
    """One degree of freedom in a panel; `sign` turns it so that the named direction goes up."""

    dof: Dof
    label: str
    sign: int
    color: str


ROTATION_LINES = (
    _Line(Dof.TILT, "tilt up", 1, "#1b7f5c"),
    _Line(Dof.PAN, "pan right", 1, "#2b5fb3"),
    _Line(Dof.ROLL, "roll clockwise", 1, "#c2571a"),
)
TRANSLATION_LINES = (
    _Line(Dof.RIGHT, "right", 1, "#2b5fb3"),
    _Line(Dof.DOWN, "up", -1, "#1b7f5c"),
    _Line(Dof.IN, "in", 1, "#c2571a"),
)
ZOOM_LINES = (_Line(Dof.ZOOM, "zoom in", 1, "#7a3fa0"),)


def plot_motion_png(path: Path, *, measurement: MotionMeasurement, title: str) -> None:
    """Write the plot, 1200 x 840: rotation, translation and focal ratio since the first frame with a pose.

    Dots are the frames, lines the smooth path, bands its one-sigma uncertainty; frames without a pose leave a gap.

    Args:
        path: PNG file to write; its folder exists.
        measurement: what is plotted.
        title: heading.

    Raises:
        InputError: no frame has a pose.
    """
    if not measurement.valid.any():
        raise InputError("the trajectory has no frame with a pose, so there is nothing to plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, facecolor="white", layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.12))
    FigureCanvasAgg(figure)
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    figure.suptitle(title, x=0.012, ha="left", fontsize=15, fontweight="bold", parse_math=False)
    _panel(top, measurement, ROTATION_LINES, unit="deg", name="rotation (degrees)")
    _panel(middle, measurement, TRANSLATION_LINES, unit="depth", name=_translation_name(measurement))
    _panel(bottom, measurement, ZOOM_LINES, unit="ratio", name="zoom (focal ratio)")
    bottom.set_xlabel("time (s)", fontsize=12)
    figure.align_ylabels()
    figure.savefig(path, format="png")


def _translation_name(measurement: MotionMeasurement) -> str:
    if measurement.depth_source is DepthSource.POINTS:
        return "translation (scene depths)"
    return "translation (scene depths,\nassumed: depth unknown)"


def _panel(axes: Any, measurement: MotionMeasurement, lines: tuple[_Line, ...], *, unit: str, name: str) -> None:
    times_s = shown_times(measurement.timestamps_s)
    neutral = 1.0 if unit == "ratio" else 0.0
    axes.axhline(neutral, color="#9aa0aa", linewidth=1.0, zorder=1)
    spans = [np.array([neutral])]
    for line in lines:
        raw = line.sign * measurement.path[:, line.dof]
        smooth = line.sign * measurement.smooth[:, line.dof]
        if not np.isfinite(smooth).any():
            continue
        sigma = np.nan_to_num(measurement.sigma[line.dof])
        low, mid, high, dots = (_in_unit(v, unit) for v in (smooth - sigma, smooth, smooth + sigma, raw))
        axes.fill_between(times_s, low, high, color=line.color, alpha=0.16, linewidth=0, zorder=2)
        axes.plot(times_s, mid, color=line.color, linewidth=2.4, label=_label(line, measurement, unit), zorder=4)
        axes.plot(times_s, dots, ".", color=line.color, markersize=4, alpha=0.65, zorder=3)
        spans += [mid[np.isfinite(mid)], dots[np.isfinite(dots)]]
    if len(spans) == 1:
        axes.text(0.5, 0.62, "not measured", transform=axes.transAxes, ha="center", color="#5c626e", fontsize=12)
    _dress(axes, np.concatenate(spans), unit=unit, name=name, legend=len(spans) > 1)


def _label(line: _Line, measurement: MotionMeasurement, unit: str) -> str:
    """Name the line, with its net change where that is known."""
    net = line.sign * measurement.net[line.dof : line.dof + 1]
    if not np.isfinite(net).all():
        return line.label
    value = float(_in_unit(net, unit)[0])
    if unit == "ratio":
        return f"{line.label}  \N{MULTIPLICATION SIGN}{value:.2f}"
    digits, mark = (1, "\N{DEGREE SIGN}") if unit == "deg" else (2, "")
    return f"{line.label}  {round(value, digits) + 0.0:+.{digits}f}{mark}"  # + 0.0: no "-0.0"


def _in_unit(values: Float, unit: str) -> Float:
    """Turn radians into degrees and log ratios into ratios; scene depths stay."""
    if unit == "deg":
        return np.degrees(values)
    return np.exp(values) if unit == "ratio" else values


def _dress(axes: Any, shown: Float, *, unit: str, name: str, legend: bool) -> None:
    low, high = float(shown.min()), float(shown.max())
    missing = max(LEAST_SPAN[unit] - (high - low), 0.0) / 2
    margin = Y_MARGIN * max(high - low, LEAST_SPAN[unit])
    axes.set_ylim(low - missing - margin, high + missing + margin)
    axes.set_ylabel(name, fontsize=12)
    axes.grid(color="#e6e8ec", linewidth=0.9)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    if legend:
        axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), frameon=False, fontsize=12)
