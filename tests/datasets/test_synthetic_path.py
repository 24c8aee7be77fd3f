"""Camera paths have the project's signs and units; labels follow the stated thresholds; shake is neither a pan nor static."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import (
    Arc,
    CameraPath,
    Curve,
    DollyZoom,
    Ease,
    Shake,
    dolly,
    pan,
    pedestal,
    picture_motion_px,
    roll,
    tilt,
    truck,
    zoom,
)
from sfmcam.datasets.synthetic.embedded_specs import embedded_specs
from sfmcam.datasets.synthetic.labels import Label, Thresholds, direction_labels, largest_rise, sure_direction_labels
from sfmcam.geometry.projection import project
from sfmcam.geometry.rigid import inverse, transform_points
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVE_BY_ID, PRIMITIVES, Dof
from sfmcam.types import CameraTrajectory, Scale

TIMES = np.linspace(0.0, 2.0, 49)
SIZE = (480, 270)
DEPTH_M = 5.0


def path_of(*curves: Curve, shake: Shake | None = None, start: np.ndarray | None = None) -> CameraPath:
    return CameraPath(curves, shake, 2.0, np.eye(4) if start is None else start, DEPTH_M, 400.0)


def trajectory_of(path: CameraPath) -> CameraTrajectory:
    n = len(TIMES)
    return CameraTrajectory(
        timestamps_s=TIMES,
        cam_from_world=path.cam_from_world(TIMES),
        focal_px=path.focals_px(TIMES),
        valid=np.ones(n, bool),
        median_depth=np.full(n, DEPTH_M),
        scale=Scale.METRIC,
        image_size_px=SIZE,
    )


PURE: dict[str, tuple[Curve, float]] = {
    "move_in": (dolly(0.3), 0.3),
    "move_out": (dolly(-0.3), 0.3),
    "move_up": (pedestal(0.2), 0.2),
    "move_down": (pedestal(-0.2), 0.2),
    "move_right": (truck(0.4), 0.4),
    "move_left": (truck(-0.4), 0.4),
    "zoom_in": (zoom(1.5), np.log(1.5)),
    "zoom_out": (zoom(1 / 1.5), np.log(1.5)),
    "pan_right": (pan(30), np.radians(30)),
    "pan_left": (pan(-30), np.radians(30)),
    "tilt_up": (tilt(20), np.radians(20)),
    "tilt_down": (tilt(-20), np.radians(20)),
    "roll_clockwise": (roll(25), np.radians(25)),
    "roll_counterclockwise": (roll(-25), np.radians(25)),
}


@pytest.mark.parametrize("primitive_id", PURE)
def test_a_pure_move_is_what_it_is_called_and_nothing_else(primitive_id: str) -> None:
    """The project's own measurement of the poses must find the move, in its units, and the labels must name it alone."""
    curve, amount = PURE[primitive_id]
    tilted_start = path_of(tilt(-12), pan(35)).cam_from_world(np.array([2.0]))[0]  # a pan is about the camera's own axis
    path = path_of(curve, start=inverse(tilted_start))
    measured = measure(trajectory_of(path))
    primitive = PRIMITIVE_BY_ID[primitive_id]
    assert primitive.dof is not None
    extent = measured.rise if primitive.sign > 0 else measured.fall
    assert extent[primitive.dof] == pytest.approx(amount, rel=0.06)
    others = np.delete(measured.extent, primitive.dof)
    assert others == pytest.approx(0, abs=1e-6)
    labels = direction_labels(path.intended_dofs(TIMES), Thresholds())
    assert [name for name, label in labels.items() if label is Label.YES] == [primitive_id]
    assert Label.UNSURE not in labels.values()


@pytest.mark.parametrize("ease", Ease)
def test_every_ease_goes_all_the_way_and_never_back(ease: Ease) -> None:
    progress = ease.progress(np.linspace(-0.2, 1.2, 200))
    assert progress[0] == 0
    assert progress[-1] == 1
    assert (np.diff(progress) >= 0).all()


def test_a_move_keeps_to_its_share_of_the_time() -> None:
    dofs = path_of(pan(10, start=0.25, end=0.75)).dofs(np.array([0.0, 0.5, 1.0, 1.5, 2.0]))
    assert np.degrees(dofs[:, Dof.PAN]) == pytest.approx([0, 0, 5, 10, 10])


@pytest.mark.parametrize("radius", [0.7, 1.3])
def test_an_arc_keeps_its_centre_in_place_and_at_its_distance(radius: float) -> None:
    path = path_of(Arc(np.radians(25), radius=radius))
    center = np.array([[0.0, 0.0, radius * DEPTH_M]])
    seen = transform_points(path.cam_from_world(TIMES), center)[:, 0]
    assert seen == pytest.approx(np.repeat(center, len(TIMES), axis=0), abs=1e-9)


def test_a_dolly_zoom_keeps_the_size_of_its_subject() -> None:
    path = path_of(DollyZoom(0.4, subject=0.9))
    top = np.array([[0.3, -0.4, 0.9 * DEPTH_M]])
    pixels = [
        project(transform_points(pose, top), f, SIZE)[0] for pose, f in zip(path.cam_from_world(TIMES), path.focals_px(TIMES), strict=True)
    ]
    assert np.ptp(np.array(pixels), axis=0) == pytest.approx(0, abs=1e-9)


def test_shake_has_its_stated_strength_does_not_drift_and_repeats() -> None:
    shake, times = Shake(np.radians(0.5), 0.01, 7), np.linspace(0, 200, 20001)
    dofs = shake.dofs(times)
    assert np.degrees(dofs[:, :3].std(axis=0)) == pytest.approx([0.5, 0.5, 0.225], rel=0.03)
    assert dofs[:, 3:].std(axis=0) == pytest.approx([0.01, 0.01, 0.005, 0], rel=0.03)
    assert np.abs(dofs.mean(axis=0)).max() < 1e-3
    assert np.array_equal(dofs, Shake(np.radians(0.5), 0.01, 7).dofs(times))
    assert not np.allclose(dofs, Shake(np.radians(0.5), 0.01, 8).dofs(times))


def test_a_follower_goes_where_the_camera_means_to_go_without_its_shake() -> None:
    start = inverse(path_of(pan(90)).cam_from_world(np.array([2.0]))[0])
    path = path_of(truck(0.4), shake=Shake(0.01, 0.02, 3), start=start)
    assert path.intended_travel_m(2.0) == pytest.approx([0, 0, -0.4 * DEPTH_M], abs=1e-9)  # its right is the world's -z


def test_there_and_back_counts_as_both() -> None:
    labels = direction_labels(path_of(pan(20, end=0.5), pan(-20, start=0.5)).dofs(TIMES), Thresholds())
    assert {name for name, label in labels.items() if label is Label.YES} == {"pan_right", "pan_left"}


def test_a_rotation_that_two_readings_tell_apart_is_unsure() -> None:
    """A pan and then a tilt: the rotation vector also holds a roll, of which the camera's own turns add up to nothing."""
    dofs = path_of(pan(60, end=0.5), tilt(30, start=0.5)).dofs(TIMES)
    plain, sure = direction_labels(dofs, Thresholds()), sure_direction_labels(dofs, Thresholds())
    assert (plain["roll_clockwise"], sure["roll_clockwise"]) == (Label.NO, Label.UNSURE)
    assert {name for name in plain if plain[name] is not sure[name]} == {"roll_clockwise"}


@pytest.mark.parametrize("curve", [pan(60), tilt(-30), roll(40), truck(0.4), zoom(1.5)])
def test_a_single_motion_is_as_sure_either_way(curve: Curve) -> None:
    dofs = path_of(curve).dofs(TIMES)
    assert sure_direction_labels(dofs, Thresholds()) == direction_labels(dofs, Thresholds())


@pytest.mark.parametrize(
    ("curve", "primitive", "expected"),
    [
        (pan(3.99), "pan_right", Label.UNSURE),
        (pan(4.01), "pan_right", Label.YES),
        (pan(1.49), "pan_right", Label.NO),
        (pan(-1.51), "pan_left", Label.UNSURE),
        (dolly(0.079), "move_in", Label.UNSURE),
        (dolly(0.081), "move_in", Label.YES),
        (truck(0.029), "move_right", Label.NO),
        (pedestal(-0.031), "move_down", Label.UNSURE),
        (zoom(1.079), "zoom_in", Label.UNSURE),
        (zoom(1 / 1.081), "zoom_out", Label.YES),
        (zoom(1.019), "zoom_in", Label.NO),
    ],
)
def test_thresholds_and_the_unsure_band(curve: Curve, primitive: str, expected: Label) -> None:
    assert direction_labels(path_of(curve).dofs(TIMES), Thresholds())[primitive] is expected


def test_largest_rise_by_hand() -> None:
    assert largest_rise(np.array([0.0, 2.0, -1.0, 1.5, 0.0])) == 2.5
    assert largest_rise(np.array([3.0, 2.0, 1.0])) == 0.0


def test_picture_motion_bounds_the_motion_of_points_at_one_scene_depth() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        amounts = rng.uniform(-1, 1, 7) * [1.5, 1.5, 3, 0.02, 0.02, 0.02, 0.03]
        curves = (
            tilt(amounts[0]),
            pan(amounts[1]),
            roll(amounts[2]),
            truck(amounts[3]),
            pedestal(amounts[4]),
            dolly(amounts[5]),
            zoom(np.exp(amounts[6])),
        )
        path = path_of(*curves)
        points = np.column_stack([rng.uniform(-3, 3, 50), rng.uniform(-1.6, 1.6, 50), np.full(50, DEPTH_M)])
        ends = [
            project(transform_points(path.cam_from_world(np.array([t]))[0], points), path.focals_px(np.array([t]))[0], SIZE)
            for t in (0.0, 2.0)
        ]
        moved = np.linalg.norm(ends[1] - ends[0], axis=1)
        assert np.median(moved) <= picture_motion_px(path.dofs(TIMES), 400.0, SIZE)


class TestRecipes:
    """The embedded set's recipes, judged without rendering: a name says what the camera does."""

    def test_names_are_unique_and_sizes_even(self) -> None:
        specs = embedded_specs()
        assert 30 <= len(specs) <= 40
        assert len({spec.id for spec in specs}) == len({spec.seed for spec in specs}) == len(specs)
        assert all(side % 2 == 0 for spec in specs for side in spec.size_px)
        assert {spec.fps for spec in specs} == {12, 24, 30}
        assert any(spec.size_px[0] < spec.size_px[1] for spec in specs)
        assert all(2.0 <= spec.seconds <= 3.0 for spec in specs)

    def test_every_direction_is_there_pure_and_zoom_dolly_truck_twice(self) -> None:
        pure: list[str] = []
        for spec in embedded_specs():
            yes = self.yes(spec)
            if len(yes) == 1 and spec.shake is None and not spec.movers:
                pure += yes
        for primitive in PRIMITIVES:
            if primitive.dof is not None:
                twice = primitive.dof in (Dof.IN, Dof.RIGHT, Dof.ZOOM)
                assert pure.count(primitive.id) >= (2 if twice else 1), primitive.id

    def test_names_say_what_the_camera_does(self) -> None:
        words = {
            "move_in": "dolly_in",
            "move_out": "dolly_out",
            "move_right": "truck_right",
            "move_left": "truck_left",
            "move_up": "pedestal_up",
        }
        words["move_down"] = "pedestal_down"
        for spec in embedded_specs():
            if spec.id.startswith(("arc_", "crane_", "dolly_zoom")):
                continue
            for primitive in PRIMITIVES:
                if primitive.dof is not None:
                    said = words.get(primitive.id, primitive.id) in spec.id
                    assert (primitive.id in self.yes(spec)) == said, (spec.id, primitive.id)

    def test_still_shaky_and_moving_subjects_are_there(self) -> None:
        still = [s for s in embedded_specs() if not s.curves]
        assert sum(s.shake is None and not s.movers for s in still) >= 1
        assert sum(s.shake is None and bool(s.movers) for s in still) >= 1
        assert len({s.shake.rotation_rad for s in still if s.shake}) == 2
        assert any(s.curves and s.shake for s in embedded_specs())
        assert any(m.follows_camera for s in embedded_specs() for m in s.movers)

    def test_shake_alone_stays_below_what_counts_as_a_move(self) -> None:
        """Smoothed as a viewer does, and by the project's own measurement, a shaky camera on a fixed spot goes nowhere."""
        for spec in embedded_specs():
            if spec.shake is not None and not spec.curves:
                measured = measure(trajectory_of(path_of(shake=spec.shake)))
                labels = direction_labels(measured.smooth, Thresholds())
                assert Label.YES not in labels.values(), spec.id

    @staticmethod
    def yes(spec) -> list[str]:
        labels = direction_labels(path_of(*spec.curves).intended_dofs(TIMES), Thresholds())
        return [name for name, label in labels.items() if label is Label.YES]
