"""Simulated tracks are the projections of fixed points where nothing disturbs them, and each disturbance does what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import Shake, dolly, pan, truck, zoom
from sfmcam.datasets.synthetic.labels import Label, Thresholds
from sfmcam.datasets.synthetic.lens import distorted
from sfmcam.datasets.synthetic.track_draw import draw_spec
from sfmcam.datasets.synthetic.track_set import build_set
from sfmcam.datasets.synthetic.track_simulation import SimulatedTracks, simulate
from sfmcam.datasets.synthetic.track_spec import NO_FAULTS, BodySpec, Faults, SceneKind, Sway, TrackClipSpec
from sfmcam.geometry.projection import project
from sfmcam.geometry.rigid import camera_centers
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Float

SOME_SEEDS = range(0, 60, 3)
SHAKEN = Shake(0.003, 0.001, 5)
MOVING = TrackClipSpec(seed=4, curves=(pan(12), truck(0.2), zoom(1.2)), num_frames=20)


def clean(spec: TrackClipSpec) -> TrackClipSpec:
    """The same clip with nothing between a fixed point and its projection."""
    return replace(spec, faults=NO_FAULTS, sway=None, caption=None)


def projections(clip: SimulatedTracks) -> Float:
    """Where a pinhole camera of the true poses and focal lengths sees the points (M, 2)."""
    trajectory, frame = clip.trajectory, clip.tracks.frame
    pose = trajectory.cam_from_world[frame]
    in_cam = np.einsum("mij,mj->mi", pose[:, :3, :3], clip.points_in_world[clip.tracks.track]) + pose[:, :3, 3]
    unit = project(in_cam, 1.0, (0, 0))
    return unit * trajectory.focal_px[frame][:, None] + np.array(clip.spec.size_px) / 2


@pytest.fixture(scope="module")
def drawn() -> list[SimulatedTracks]:
    return [simulate(draw_spec(seed)) for seed in SOME_SEEDS]


@pytest.mark.parametrize("scene", list(SceneKind))
def test_clean_tracks_are_the_projections_of_their_points(scene: SceneKind) -> None:
    clip = simulate(replace(MOVING, scene=scene, shake=SHAKEN, bodies=(BodySpec(0.1),)))
    is_static = clip.is_static[clip.tracks.track]
    assert is_static.sum() > 500
    np.testing.assert_allclose(projections(clip)[is_static], clip.tracks.xy_px[is_static], atol=1e-9)
    np.testing.assert_array_equal(np.isnan(clip.points_in_world[:, 0]), ~clip.is_static)


def test_drawn_recipes_without_faults_are_projections_too() -> None:
    for seed in range(6):
        clip = simulate(clean(draw_spec(seed)))
        is_static = clip.is_static[clip.tracks.track]
        np.testing.assert_allclose(projections(clip)[is_static], clip.tracks.xy_px[is_static], atol=1e-9)


def test_observations_are_as_a_tracker_gives_them(drawn: list[SimulatedTracks]) -> None:
    for clip in drawn:
        tracks = clip.tracks
        assert (np.diff(tracks.frame) >= 0).all()
        assert np.isnan(tracks.static_probability).all()
        assert len(tracks) == len(clip.is_static) == len(clip.points_in_world)
        assert len(clip.timestamps_s) == clip.spec.num_frames
        assert (tracks.xy_px >= 0).all()
        assert (tracks.xy_px <= clip.spec.size_px).all()
        order = np.lexsort((tracks.frame, tracks.track))
        steps, same = np.diff(tracks.frame[order]), np.diff(tracks.track[order]) == 0
        assert (steps[same] == 1).all()
        assert (np.bincount(tracks.track, minlength=len(tracks)) >= 2).all()


def test_enough_tracks_live_and_some_of_them_are_static(drawn: list[SimulatedTracks]) -> None:
    alive = [np.median(np.bincount(clip.tracks.frame)) for clip in drawn]
    assert np.median(alive) > 150
    assert max(alive) <= 350
    assert min(clip.is_static.mean() for clip in drawn) > 0.1


def test_the_same_recipe_gives_the_same_tracks() -> None:
    assert draw_spec(7) == draw_spec(7)
    once, again = simulate(draw_spec(7)), simulate(draw_spec(7))
    np.testing.assert_array_equal(once.tracks.xy_px, again.tracks.xy_px)
    np.testing.assert_array_equal(once.is_static, again.is_static)
    other = simulate(replace(draw_spec(7), seed=8))
    assert len(other.tracks.frame) != len(once.tracks.frame) or (other.tracks.xy_px != once.tracks.xy_px).any()


def test_labels_agree_with_the_measured_motion_of_the_true_path() -> None:
    thresholds = Thresholds()
    checked = 0
    for seed in range(80):
        spec = replace(clean(draw_spec(seed)), shake=None, bodies=(), num_points=60)
        if spec.plot in ("sequence", "triple", "there_and_back"):
            continue  # rotations in turn, summed as body rates, are not the components of one rotation vector
        clip = simulate(spec)
        motion = measure(clip.trajectory)
        for primitive in PRIMITIVES:
            if primitive.dof is None:
                continue
            extent = (motion.rise if primitive.sign > 0 else motion.fall)[primitive.dof]
            no, yes = thresholds.bounds(primitive.dof)
            if extent < 0.6 * no or extent > 1.5 * yes:
                checked += 1
                assert clip.labels[primitive.id] is (Label.NO if extent < no else Label.YES), (seed, primitive.id, extent)
    assert checked > 500


def test_a_camera_that_holds_still_is_static_and_only_then() -> None:
    assert simulate(TrackClipSpec(seed=1)).labels["static"] is Label.YES
    assert simulate(TrackClipSpec(seed=1, shake=SHAKEN)).labels["static"] is Label.NO
    assert simulate(TrackClipSpec(seed=1, curves=(dolly(0.1),))).labels["static"] is Label.NO


def test_white_noise_has_its_size_and_leaves_the_rest_alone() -> None:
    before, after = simulate(MOVING), simulate(replace(MOVING, faults=Faults(white_px=0.3)))
    noise = after.tracks.xy_px - before.tracks.xy_px
    assert abs(noise.std() - 0.3) < 0.01
    assert abs(noise.mean()) < 0.02


def test_drift_grows_with_the_age_of_a_track() -> None:
    spec = replace(MOVING, curves=(), life_s=30.0, detect_every=20)
    before, after = simulate(spec), simulate(replace(spec, faults=Faults(drift_px=0.1)))
    np.testing.assert_array_equal(before.tracks.track, after.tracks.track)
    drift = after.tracks.xy_px - before.tracks.xy_px
    assert (drift[before.tracks.frame == 0] == 0).all()
    spread = [drift[before.tracks.frame == frame].std() for frame in (4, 16)]
    np.testing.assert_allclose(spread, [0.2, 0.4], rtol=0.15)


@pytest.mark.parametrize(("faults", "low", "high"), [(Faults(gross_share=0.05), 0.03, 0.07), (Faults(sliding_share=0.1), 0.005, 0.1)])
def test_gross_errors_and_slides_concern_a_share_of_the_observations(faults: Faults, low: float, high: float) -> None:
    spec = replace(MOVING, num_frames=40)
    before, after = simulate(spec), simulate(replace(spec, faults=faults))
    ideal = dict(zip(_keys(before), before.tracks.xy_px, strict=True))
    moved = [np.abs(ideal[key] - at).max() > 0.5 for key, at in zip(_keys(after), after.tracks.xy_px, strict=True)]
    assert low < np.mean(moved) < high


def _keys(clip: SimulatedTracks) -> list[tuple[int, bytes]]:
    """Name observations by frame and world point, since tracks that leave the picture change the numbers."""
    return [
        (frame, clip.points_in_world[track].tobytes()) for frame, track in zip(clip.tracks.frame.tolist(), clip.tracks.track, strict=True)
    ]


def test_wobble_is_smooth_over_the_picture_and_in_time() -> None:
    spec = replace(MOVING, curves=(), num_frames=36)
    clip = simulate(replace(spec, faults=Faults(wobble_px=3.0, wobble_s=1.0)))
    off = clip.tracks.xy_px - projections(clip)
    assert 0.5 < off.std() < 4
    order = np.lexsort((clip.tracks.frame, clip.tracks.track))
    steps = np.diff(off[order], axis=0)[np.diff(clip.tracks.track[order]) == 0]
    assert steps.std() < 0.2 * off.std()


def test_distortion_is_that_of_the_lens() -> None:
    spec = replace(MOVING, faults=Faults(distortion=-0.12, principal_offset=(0.02, -0.01)))
    clip = simulate(spec)
    half_diagonal = np.hypot(*spec.size_px) / 2
    center = np.array(spec.size_px) / 2
    expected = distorted((projections(clip) - center) / half_diagonal, -0.12) * half_diagonal + center + [0.02 * 384, -0.01 * 216]
    np.testing.assert_allclose(clip.tracks.xy_px, expected, atol=1e-9)


def test_a_rolling_shutter_shows_each_row_at_its_own_time() -> None:
    spec = replace(MOVING, curves=(pan(25),), shake=SHAKEN, faults=Faults(readout=0.8))
    clip = simulate(spec)
    late_s = 0.8 / spec.fps * (clip.tracks.xy_px[:, 1] / spec.size_px[1] - 0.5)
    times = spec.timestamps_s[clip.tracks.frame] + late_s
    inside = (times > 0) & (times < spec.timestamps_s[-1])
    path = build_set(spec).path
    pose = path.cam_from_world(times)
    in_cam = np.einsum("mij,mj->mi", pose[:, :3, :3], clip.points_in_world[clip.tracks.track]) + pose[:, :3, 3]
    expected = in_cam[:, :2] / in_cam[:, 2:] * path.focals_px(times)[:, None] + np.array(spec.size_px) / 2
    assert np.abs(clip.tracks.xy_px - projections(clip)).max() > 1.5
    assert np.abs(clip.tracks.xy_px - expected)[inside].max() < 0.1


def test_what_is_far_shows_no_translation() -> None:
    clip = simulate(replace(MOVING, curves=(truck(0.6),), scene=SceneKind.FAR))
    assert clip.labels["move_right"] is not Label.YES
    travel = np.ptp(camera_centers(clip.trajectory.cam_from_world), axis=0).max()
    assert (clip.trajectory.median_depth > 20 * travel).all()
    steps = projections(clip)[clip.tracks.frame == 0]
    assert np.isfinite(steps).all()


def test_a_followed_body_keeps_its_place_while_the_scene_goes_by() -> None:
    body = BodySpec(share=0.25, follow=1.0, depth=0.4)
    clip = simulate(replace(MOVING, curves=(truck(0.5),), scene=SceneKind.WALL, bodies=(body,), num_frames=30))
    on_body, motion_px = ~clip.is_static, _net_motion_px(clip)
    is_long = np.bincount(clip.tracks.track) > 8
    assert 0.15 < on_body[clip.tracks.track].mean() < 0.7
    assert np.median(motion_px[on_body & is_long]) < 0.35 * np.median(motion_px[~on_body & is_long])


def _net_motion_px(clip: SimulatedTracks) -> Float:
    """(T,) largest side of the box that each track goes through."""
    low, high = np.full((len(clip.tracks), 2), np.inf), np.full((len(clip.tracks), 2), -np.inf)
    np.minimum.at(low, clip.tracks.track, clip.tracks.xy_px)
    np.maximum.at(high, clip.tracks.track, clip.tracks.xy_px)
    return (high - low).max(axis=1)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_body_covers_its_share_and_moves_before_a_still_camera(share: float) -> None:
    body = BodySpec(share=share, travel=(0.3, 0.0, 0.0), depth=0.3, limbs=0.3)
    clip = simulate(TrackClipSpec(seed=2, scene=SceneKind.WALL, bodies=(body,), num_frames=24))
    on_body = ~clip.is_static
    middle = clip.tracks.frame == 12
    assert on_body[clip.tracks.track[middle]].mean() == pytest.approx(share, rel=0.4)
    assert _net_motion_px(clip)[clip.is_static].max() < 1e-9
    assert np.median(_net_motion_px(clip)[on_body]) > 5


def test_swaying_points_and_lettering_are_no_part_of_the_static_scene() -> None:
    swaying = simulate(replace(MOVING, sway=Sway(2.0, 1.0, 0.5)))
    off = np.abs(swaying.tracks.xy_px - projections(swaying)).max(axis=1)
    assert 0.05 < (~swaying.is_static).mean() < 0.6
    assert off[swaying.is_static[swaying.tracks.track]].max() < 1e-9
    assert np.median(off[~swaying.is_static[swaying.tracks.track]]) > 0.5
    lettered = simulate(replace(MOVING, caption=(0.2, 0.8, 0.8, 0.95)))
    assert 0.02 < (~lettered.is_static).mean() < 0.4
    assert _net_motion_px(lettered)[~lettered.is_static].max() == 0
    assert _net_motion_px(lettered)[lettered.is_static].max() > 10


def test_kinds_name_what_is_special() -> None:
    clip = simulate(replace(MOVING, shake=SHAKEN, faults=Faults(readout=0.5), bodies=(BodySpec(0.1),), plot="pan_truck"))
    assert {"movers", "shaky", "rolling_shutter", "pan_against_truck", "mixed", "plot_pan_truck", "scene_room"} <= set(clip.kinds)
    assert "pure" not in clip.kinds
