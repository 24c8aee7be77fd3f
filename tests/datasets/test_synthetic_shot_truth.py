"""Truth of clips with a lens, a rolling shutter, and of random ones: an independent tracker finds what poses, focal and depth predict."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import Ease, dolly, pan, truck
from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.finish import Finish
from sfmcam.datasets.synthetic.lens import distorted, undistorted
from sfmcam.datasets.synthetic.random_specs import random_specs
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import Stage, build_stage
from sfmcam.geometry.projection import project
from sfmcam.geometry.rigid import inverse, transform_points
from sfmcam.types import Float, UInt8

HOW = {"winSize": (15, 15), "maxLevel": 4, "criteria": (3, 40, 0.003)}
SHOTS = {
    "barrel": (Finish(distortion=-0.1), (pan(4), dolly(0.05))),
    "cushion": (Finish(distortion=0.15), (truck(0.05),)),
    "rolling": (Finish(readout=0.9), (pan(12),)),
}


def cell_centers(stage: Stage) -> Float:
    """Positions (n, 2) in pixels at which the stored depth holds."""
    columns, rows = stage.cells
    x, y = np.meshgrid(np.arange(0.5, columns) * (stage.spec.size_px[0] / columns), np.arange(0.5, rows) * (stage.spec.size_px[1] / rows))
    return np.column_stack([x.ravel(), y.ravel()])


def row_times(stage: Stage, frame_s: float, y_px: Float) -> Float:
    return frame_s + (y_px / stage.spec.size_px[1] - 0.5) * stage.spec.finish.readout / stage.spec.fps


def predicted(stage: Stage, begin_s: float, end_s: float) -> Float:
    """Where the cells' centres (n, 2) of one frame are in another, by what is stored alone; NaN where there is no depth."""
    size, k = np.array(stage.spec.size_px), stage.spec.finish.distortion
    half_diagonal = np.hypot(*size) / 2
    start = cell_centers(stage)
    pinhole = undistorted((start - size / 2) / half_diagonal, k) * half_diagonal
    focals = stage.path.focals_px(np.array([begin_s, end_s]))
    depth = stage.depth(begin_s).ravel().astype(float)
    in_first = np.column_stack([pinhole / focals[0], np.ones(len(pinhole))]) * depth[:, None]
    first_from_world = stage.path.cam_from_world(row_times(stage, begin_s, start[:, 1]))
    in_world = transform_points(inverse(first_from_world), in_first[:, None])[:, 0]
    end = start
    for _ in range(6):  # the row at which a point arrives decides when it is seen
        last_from_world = stage.path.cam_from_world(row_times(stage, end_s, end[:, 1]))
        flat = project(transform_points(last_from_world, in_world[:, None])[:, 0], float(focals[1]), stage.spec.size_px)
        end = distorted((flat - size / 2) / half_diagonal, k) * half_diagonal + size / 2
    return end


def errors(stage: Stage, begin_s: float, end_s: float) -> tuple[Float, Float]:
    """Return predicted shifts (m, 2) and how far OpenCV's tracker is from them (m, 2), of textured cells of the static scene."""
    before, after = (gray(stage, t) for t in (begin_s, end_s))
    start, end = cell_centers(stage), predicted(stage, begin_s, end_s)
    corner = cv2.cornerMinEigenVal(before, 7)
    texture = corner[start[:, 1].astype(int), start[:, 0].astype(int)]
    size = np.array(stage.spec.size_px)
    inside = ((start > 12) & (start < size - 12) & (end > 12) & (end < size - 12)).all(axis=1)
    usable = inside & ~stage.mover_mask(begin_s).ravel() & ~stage.mover_mask(end_s).ravel() & (texture > np.quantile(texture, 0.5))
    points = (start[usable] - 0.5).astype(np.float32)[:, None]  # OpenCV counts from the first pixel's centre
    found, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, **HOW)
    again, ok_again, _ = cv2.calcOpticalFlowPyrLK(after, before, found, None, **HOW)
    kept = ((ok & ok_again)[:, 0] == 1) & (np.linalg.norm((again - points)[:, 0], axis=1) < 0.3)
    shift = (end - start)[usable][kept]
    return shift, (found - points)[:, 0][kept] - shift


def gray(stage: Stage, time_s: float) -> UInt8:
    return np.asarray(cv2.cvtColor(stage.frame(time_s, np.random.default_rng(0)), cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("name", SHOTS)
def test_a_tracker_agrees_with_the_truth_below_a_lens_and_a_rolling_shutter(name: str) -> None:
    finish, curves = SHOTS[name]
    linear = tuple(replace(curve, ease=Ease.LINEAR) for curve in curves)
    spec = ClipSpec(name, "gallery", 8, linear, size_px=(320, 180), noise=0.0, fps=4.0, seconds=1.0, finish=finish)
    stage = build_stage(spec)
    shift, error = errors(stage, 0.25, 0.5)
    assert len(error) > 100
    assert np.median(np.linalg.norm(shift, axis=1)) > 1.5
    assert np.median(np.linalg.norm(error, axis=1)) < 0.25
    without = replace(stage, spec=replace(spec, finish=Finish()))
    blind = predicted(without, 0.25, 0.5) - cell_centers(without)
    aware = predicted(stage, 0.25, 0.5) - cell_centers(stage)
    assert np.nanmedian(np.linalg.norm(blind - aware, axis=1)) > 0.02  # the finish matters for where things go


@pytest.mark.slow
@pytest.mark.parametrize("index", range(0, 80, 4))
def test_a_tracker_agrees_with_the_truth_of_random_clips(index: int) -> None:
    spec = replace(random_specs(Split.TRAIN, 12, index + 1)[index], noise=0.0, exposure=1.0)
    spec = replace(spec, finish=replace(spec.finish, lettering=Finish().lettering))
    stage = build_stage(spec)
    begin_s, step_s = float(spec.timestamps_s[len(spec.timestamps_s) // 2]), 1 / spec.fps
    while np.nanmedian(np.linalg.norm(predicted(stage, begin_s, begin_s + step_s) - cell_centers(stage), axis=1)) > 4:
        step_s /= 2  # the tracker turns no windows: what moves too far between two pictures it finds only roughly
    _, error = errors(stage, begin_s, begin_s + step_s)
    if len(error) > 30:
        assert np.median(np.linalg.norm(error, axis=1)) < 0.3
