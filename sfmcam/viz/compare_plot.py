"""Two camera paths over one another, from above and from the side, and the error over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.evaluation.compare import Comparison
from sfmcam.evaluation.evo_bridge import EvoComparison
from sfmcam.evaluation.frame_pairs import Pairing
from sfmcam.evaluation.generator_metrics import generator_errors
from sfmcam.geometry.rigid import camera_centers, inverse
from sfmcam.types import CameraTrajectory, Float
from sfmcam.viz.timecolor import shown_times

SIZE_INCHES, DPI = (12.0, 10.0), 100
REFERENCE_COLOR, ESTIMATE_COLOR, ERROR_COLOR = "#3a3f4a", "#2b6fd6", "#d1495b"
MARGIN = 0.08  # of a view's width, around the paths
NUM_GAZES, GAZE = 9, 0.07  # cameras that show where they look, and how long that is in view widths
MAX_LINKS = 150  # lines from estimate to reference; more would be a surface
LEAST_DEG, LEAST_OF_SPAN = 0.1, 1e-3  # an error panel never shows less, so that rounding does not fill it
RIGHT, DOWN, FORWARD = 0, 1, 2


@dataclass(frozen=True)
class _Paths:
    """Camera centres (n, 3) and viewing directions (n, 3) of compared frames, seen from the reference's first camera."""

    own: Float
    true: Float
    own_gaze: Float
    true_gaze: Float
    whole: Float  # the reference's path between them, frames without a partner included

    @property
    def span(self) -> float:
        points = np.concatenate([self.own, self.whole])
        return float(np.ptp(points, axis=0).max()) or 1.0

    @property
    def middle(self) -> Float:
        points = np.concatenate([self.own, self.whole])
        return (points.min(axis=0) + points.max(axis=0)) / 2


def plot_comparison_png(
    path: Path, result: Comparison, *, estimate: CameraTrajectory, reference: CameraTrajectory, pairing: Pairing, title: str
) -> None:
    """Write the plot, 1200 x 1000.

    Args:
        path: PNG file to write; its folder exists.
        result: what is drawn.
        estimate: the trajectory that was compared.
        reference: the trajectory that it was compared with.
        pairing: gives the lower panels seconds or frame numbers.
        title: heading.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, facecolor="white", layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.12))
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold", parse_math=False)
    undefined = next(metric for metric in result.metrics if metric.name == "APE").reason
    mosaic: Any = [["words"], ["rotation"]] if undefined else [["top", "side"], ["position", "position"], ["rotation", "rotation"]]
    panels = figure.subplot_mosaic(mosaic, height_ratios=(1, 4) if undefined else (2.4, 1, 1))
    x, x_label = _moments(result, reference, pairing)
    if undefined or result.aligned is None:
        _say(panels["words"], undefined)
    else:
        paths = _seen_from_first(result, result.aligned, reference)
        _view(
            panels["top"],
            paths,
            up=FORWARD,
            name="from above (dots: first frame; ticks: where the cameras look)",
            labels=("right", "forward"),
        )
        _view(panels["side"], paths, up=DOWN, name="from the side", labels=("forward", "up"))
        panels["top"].legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none", fontsize=11)
        name, least = "position error\n(reference's unit)", LEAST_OF_SPAN * paths.span
        _over_time(panels["position"], x, result.aligned.ape.errors, name=name, least=least)
        panels["position"].sharex(panels["rotation"])
    panels["rotation"].set_xlabel(x_label, fontsize=12)
    _rotation_panel(panels["rotation"], x, result, estimate=estimate, reference=reference)
    figure.align_ylabels([axes for name, axes in panels.items() if name in ("position", "rotation")])
    figure.savefig(path, format="png")


def _seen_from_first(result: Comparison, aligned: EvoComparison, reference: CameraTrajectory) -> _Paths:
    true_rows = result.pairs.true
    first_from_world = reference.cam_from_world[true_rows[0]]
    between = np.arange(true_rows[0], true_rows[-1] + 1)
    between = between[reference.valid[between]]
    own = first_from_world @ aligned.world_from_cam
    true = first_from_world @ inverse(reference.cam_from_world[true_rows])
    whole = camera_centers(reference.cam_from_world[between]) @ first_from_world[:3, :3].T + first_from_world[:3, 3]
    return _Paths(own[:, :3, 3], true[:, :3, 3], own[:, :3, 2], true[:, :3, 2], whole)


def _view(axes: Any, paths: _Paths, *, up: int, name: str, labels: tuple[str, str]) -> None:
    """Draw the paths with `up` going up: forward (from above) or the opposite of down (from the side)."""
    across, sign = (RIGHT, 1.0) if up == FORWARD else (FORWARD, -1.0)

    def flat(points: Float) -> Float:
        return points[:, [across, up]] * [1.0, sign]

    own, true, whole = flat(paths.own), flat(paths.true), flat(paths.whole)
    some = np.unique(np.linspace(0, len(own) - 1, MAX_LINKS).round().astype(int))
    _segments(axes, own[some], true[some], color=ERROR_COLOR, linewidth=0.8, alpha=0.6, zorder=2)
    axes.plot(*whole.T, color=REFERENCE_COLOR, linewidth=2.6, label="reference", zorder=3)
    axes.plot(*own.T, color=ESTIMATE_COLOR, linewidth=1.8, label="estimate", zorder=4)
    gazes = np.unique(np.linspace(0, len(own) - 1, NUM_GAZES).round().astype(int))
    for centers, gaze, color in ((true, flat(paths.true_gaze), REFERENCE_COLOR), (own, flat(paths.own_gaze), ESTIMATE_COLOR)):
        axes.plot(*centers[:1].T, "o", color=color, markersize=8, zorder=5)
        tips = centers[gazes] + GAZE * paths.span * gaze[gazes]
        _segments(axes, centers[gazes], tips, color=color, linewidth=1.2, zorder=5)
    axes.update_datalim(flat(paths.middle + np.array([[-0.5], [0.5]]) * paths.span))  # both views at one scale
    axes.margins(MARGIN)
    axes.autoscale_view()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title(name, fontsize=12, loc="left")
    axes.set_xlabel(labels[0], fontsize=12)
    axes.set_ylabel(labels[1], fontsize=12)
    _dress(axes)


def _segments(axes: Any, starts: Float, ends: Float, **style: Any) -> None:
    """Draw a line from each of (k, 2) starts to its end."""
    axes.plot(*np.stack([starts, ends], axis=1).transpose(2, 1, 0), **style)


def _moments(result: Comparison, reference: CameraTrajectory, pairing: Pairing) -> tuple[Float, str]:
    if pairing is Pairing.INDEX:
        return result.pairs.true.astype(float), "frame"
    return shown_times(reference.timestamps_s[result.pairs.true]), "time (s)"


def _rotation_panel(axes: Any, x: Float, result: Comparison, *, estimate: CameraTrajectory, reference: CameraTrajectory) -> None:
    """Draw the error after alignment where positions can be aligned, else relative to the first frame."""
    turn = next(metric for metric in result.metrics if metric.name == "APE_rot")
    if result.aligned is not None and not turn.reason:
        _over_time(axes, x, result.aligned.ape_rotation.errors, name="rotation error\n(degrees)", least=LEAST_DEG)
        return
    poses, truth = estimate.cam_from_world[result.pairs.own], reference.cam_from_world[result.pairs.true]
    errors_deg = np.degrees(generator_errors(poses, truth).rotation_rad)
    _over_time(axes, x, errors_deg, name="rotation error\n(degrees, from the first)", least=LEAST_DEG)


def _over_time(axes: Any, x: Float, errors: Float, *, name: str, least: float) -> None:
    axes.fill_between(x, errors, color=ERROR_COLOR, alpha=0.14, linewidth=0)
    axes.plot(x, errors, color=ERROR_COLOR, linewidth=1.8, marker="." if len(x) <= MAX_LINKS else None, markersize=5)
    axes.set_ylim(0, max(float(errors.max()) * 1.12, least))
    axes.margins(x=0.02)
    axes.set_ylabel(name, fontsize=12)
    _dress(axes)


def _say(axes: Any, reason: str) -> None:
    import textwrap

    words = textwrap.fill(f"positions are not compared: {reason}", 80)
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color="#5c626e", fontsize=12)
    axes.set_axis_off()


def _dress(axes: Any) -> None:
    axes.grid(color="#e6e8ec", linewidth=0.9)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=11)
    axes.spines[["top", "right"]].set_visible(False)
