"""The dense bundle adjustment takes the Gauss-Newton step of the whole problem, follows the reference, and finds camera, depth, zoom."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from shared_data import SHARED, needs_shared

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from megasam_scene import disturbed, make_scene, pose_errors  # noqa: E402

from sfmcam.errors import ConfigError  # noqa: E402
from sfmcam.estimators.megasam import bundle, camera, se3  # noqa: E402
from sfmcam.estimators.megasam.bundle import BundleOptions, Problem, adjust, layout_of  # noqa: E402

OPTIONS = {
    "fixed": BundleOptions(lm=1e-4, ep=0.1),
    "window": BundleOptions(first_pose=2, past_pose=4, lm=1e-3, ep=0.01),
    "prior": BundleOptions(alpha=0.05),
    "shared": BundleOptions(focal="shared", lm=1e-5, ep=1e-2),
    "per frame": BundleOptions(focal="per_frame", focal_smoothness=0.02, focal_bending=0.05, focal_anchor=0.1),
    "per frame, window": BundleOptions(focal="per_frame", first_pose=2, focal_smoothness=0.02, focal_bending=0.05),
    "per frame, prior, motion only": BundleOptions(focal="per_frame", motion_only=True, first_focal=1, alpha=0.05),
    "motion only": BundleOptions(motion_only=True),
    "robust": BundleOptions(huber_px=0.3),
}


def small_problem() -> Problem:
    """Return a disturbed problem of 5 frames with uneven degrees, a repeated edge, weights, a prior with holes, and points too near."""
    scene = disturbed(make_scene(frames=5, size=(4, 5), zoom=0.1), pose=0.05)
    generator = torch.Generator().manual_seed(1)
    keep = torch.tensor([k for k in range(len(scene.ii)) if k not in (0, 3, 4, 9)] + [5])
    weight = torch.rand(len(keep), 4, 5, 2, generator=generator, dtype=torch.float64)
    prior = scene.disps * torch.exp(0.1 * torch.randn(scene.disps.shape, generator=generator, dtype=torch.float64))
    prior[:, :2, :2] = 0
    disps = scene.disps.clone()
    disps[2, 1, 1] = 1 / 0.06
    return replace(
        scene,
        disps=disps,
        ii=scene.ii[keep],
        jj=scene.jj[keep],
        target=scene.target[keep] + 0.3 * torch.randn(weight.shape, generator=generator, dtype=torch.float64),
        weight=weight,
        eta=1e-4 * torch.rand(scene.disps.shape, generator=generator, dtype=torch.float64),
        prior_disps=prior,
        prior_log_focal=torch.log(scene.intrinsics[:, 0]) + 0.05,
    )


def dense_step(problem: Problem, options: BundleOptions) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Solve the same step with one matrix over all unknowns, its derivatives taken by autograd. Returns pose, focal and disparity steps."""
    frames, pixels = len(problem.poses), problem.disps[0].numel()
    first, past = options.pose_range(frames)
    poses = 6 * (past - first)
    start, end = options.focal_range(frames)
    focals = 1 if options.focal == "shared" else end - start
    disparities = 0 if options.motion_only else frames * pixels

    def refocused(rise: torch.Tensor) -> torch.Tensor:
        focal, centre = problem.intrinsics.split(2, 1)
        if options.focal == "shared":
            focal = focal + rise * 2 * centre[:, :1]
        elif focals:
            focal = torch.cat([focal[:start], focal[start:end] * torch.exp(rise)[:, None], focal[end:]])
        return torch.cat([focal, centre], 1)

    def coordinates(x: torch.Tensor) -> torch.Tensor:
        xi = torch.cat([x.new_zeros(first, 6), x[:poses].view(-1, 6), x.new_zeros(frames - past, 6)])
        disps = problem.disps if options.motion_only else problem.disps + x[poses + focals :].view(problem.disps.shape)
        return camera.reproject(
            se3.retract(problem.poses, xi), disps, refocused(x[poses : poses + focals]), ii=problem.ii, jj=problem.jj
        ).coords

    zero = torch.zeros(poses + focals + disparities, dtype=torch.float64)
    here = camera.reproject(problem.poses, problem.disps, problem.intrinsics, ii=problem.ii, jj=problem.jj)
    residual = problem.target - here.coords
    weight = 1e-3 * problem.weight * here.depth_ok[..., None]
    if options.huber_px is not None:
        weight = weight * (options.huber_px / residual.norm(dim=-1, keepdim=True)).clamp(max=1)
    rates = torch.func.jacrev(coordinates)(zero).flatten(0, 3)
    hessian, gradient = rates.T @ (weight.flatten()[:, None] * rates), rates.T @ (weight * residual).flatten()
    if options.focal == "per_frame":
        for information, rows, value in focal_terms(problem, options):
            part = slice(poses, poses + focals)
            hessian[part, part] += information * rows[:, start:end].T @ rows[:, start:end]
            gradient[part] -= information * rows[:, start:end].T @ value
    motion = torch.arange(poses + focals)
    hessian[motion, motion] += options.ep + options.lm * hessian[motion, motion]
    if not options.motion_only:
        prior = problem.prior_disps.flatten()
        held = (prior > 0) & (options.alpha > 0)
        each = torch.arange(poses + focals, len(zero))
        hessian[each, each] += torch.where(held, options.alpha, problem.eta.flatten() + 1e-7)
        gradient[each] -= options.alpha * held.double() * (problem.disps.flatten() - prior)
    step = torch.linalg.solve(hessian, gradient)
    return step[:poses].view(-1, 6), step[poses : poses + focals], step[poses + focals :]


def focal_terms(problem: Problem, options: BundleOptions):
    """Yield information, rows over all frames, and value of each kind of prior, those that no unknown enters left out by zero rows."""
    frames = len(problem.poses)
    log_focal = torch.log(problem.intrinsics[:, 0])
    start, end = options.focal_range(frames)
    one = torch.eye(frames, dtype=torch.float64)
    for information, rows in (
        (options.focal_smoothness, one[1:] - one[:-1]),
        (options.focal_bending, one[2:] - 2 * one[1:-1] + one[:-2]),
        (options.focal_anchor, one),
    ):
        enters = rows[:, start:end].abs().sum(1) > 0
        offset = problem.prior_log_focal if rows is one else torch.zeros_like(log_focal)
        yield information, rows * enters[:, None], (rows @ (log_focal - offset)) * enters


@pytest.mark.parametrize("case", OPTIONS)
def test_a_step_is_that_of_the_whole_normal_equations(case):
    problem, options = small_problem(), OPTIONS[case]
    layout = layout_of(problem, options)
    got = bundle.step(problem, options, layout)
    poses, focals, disparities = dense_step(problem, options)
    torch.testing.assert_close(got.poses, poses, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(got.focals, focals, rtol=1e-8, atol=1e-10)
    if not options.motion_only:
        mine = torch.zeros_like(problem.disps).index_copy(0, layout.sources, got.disparities)
        torch.testing.assert_close(mine.flatten(), disparities, rtol=1e-8, atol=1e-10)
    moved = adjust(problem, replace(options, disparity_range=None))
    first, past = options.pose_range(len(problem.poses))
    torch.testing.assert_close(moved.poses[first:past], se3.retract(problem.poses[first:past], poses))
    assert torch.equal(moved.poses[:first], problem.poses[:first])
    assert torch.equal(moved.poses[past:], problem.poses[past:])
    assert bool(moved.solved)


def test_batches_of_any_size_give_the_same_step(monkeypatch):
    problem, options = small_problem(), OPTIONS["per frame"]
    steps = []
    for points in (1, 150, 10_000):
        monkeypatch.setattr("sfmcam.estimators.megasam.layout._POINTS_ON_CPU", points)
        layout = layout_of(problem, options)
        step = bundle.step(problem, options, layout)
        steps.append((len(layout.batches), step.poses, step.disparities[layout.sources.argsort()]))
    assert len({count for count, *_ in steps}) == 3
    for _, poses, disparities in steps[1:]:
        torch.testing.assert_close(poses, steps[0][1])
        torch.testing.assert_close(disparities, steps[0][2])


def test_the_world_frame_does_not_matter():
    """Another world frame, or another scale of the scene with the damping that it takes, gives the same cameras."""
    scene = make_scene(frames=4)
    problem = disturbed(scene)
    options = BundleOptions(ep=0, lm=1e-4, iterations=3)
    there = se3.exp(torch.tensor([0.3, -1, 2, 0.5, 0.2, -0.4], dtype=torch.float64))
    moved = adjust(replace(problem, poses=se3.compose(problem.poses, there)), options)
    here = adjust(problem, options)
    torch.testing.assert_close(se3.matrix(moved.poses), se3.matrix(se3.compose(here.poses, there)), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(moved.disps, here.disps, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_disturbed_cameras_and_depths_are_found_again(dtype):
    scene = make_scene()
    problem = as_type(disturbed(scene), dtype)
    found = adjust(problem, BundleOptions(iterations=10, ep=1e-3))
    rotation_deg, translation = pose_errors(found.poses.double(), scene.poses)
    assert rotation_deg < 0.01
    assert translation < 1e-3
    scale = float((scene.disps / found.disps.double()).median())
    assert float((found.disps.double() * scale / scene.disps - 1).abs().max()) < 0.01


@pytest.mark.parametrize("zoom", [0.0, 0.3, -0.5])
def test_a_zoom_is_found_from_one_focal_length_for_all(zoom):
    """The bound on zoom clips is 2 % of the focal length; from true flow it is far less."""
    scene = make_scene(zoom=zoom)
    problem = as_type(disturbed(scene), torch.float32)
    problem = replace(problem, intrinsics=problem.intrinsics[:1].expand(6, 4))
    options = BundleOptions(iterations=15, ep=1e-3, focal="per_frame", focal_smoothness=1e-3, focal_bending=1e-2)
    found = adjust(problem, options)
    assert float(torch.log(found.intrinsics[:, 0] / scene.intrinsics[:, 0]).abs().max()) < 0.02
    assert pose_errors(found.poses.double(), scene.poses)[1] < 0.02


def test_outliers_count_linearly_and_pull_less():
    scene = make_scene()
    generator = torch.Generator().manual_seed(2)
    wrong = torch.rand(scene.target.shape[:3], generator=generator) < 0.2
    target = torch.where(wrong[..., None], scene.target + 4, scene.target)
    problem = disturbed(replace(scene, target=target), pose=0.01)
    errors = [pose_errors(adjust(problem, BundleOptions(iterations=8, ep=1e-2, huber_px=px)).poses, scene.poses) for px in (None, 0.1)]
    assert errors[1][0] < 0.2 * errors[0][0]
    assert errors[1][1] < 0.2 * errors[0][1]


def test_disparities_stay_in_their_range():
    problem = replace(disturbed(make_scene(frames=3)), eta=torch.zeros(3, 12, 16, dtype=torch.float64))
    problem = replace(problem, target=problem.target + 20 * torch.sin(7 * problem.target))
    kept = adjust(problem, BundleOptions(disparity_range=(0.2, 0.9))).disps
    assert (float(kept.min()), float(kept.max())) == (0.2, 0.9)
    far = adjust(problem, BundleOptions(disparity_range=(0.2, 0.9), far_to_zero=True)).disps
    assert torch.equal(far == 0.2, (kept == 0.2) | (kept == 0.9))


@pytest.mark.parametrize("what", ["target", "poses"])
def test_values_that_are_not_finite_leave_all_as_it_was_and_say_so(what):
    problem = disturbed(make_scene(frames=3))
    spoilt = replace(problem, **{what: torch.full_like(getattr(problem, what), torch.nan)})
    found = adjust(spoilt, BundleOptions())
    assert not bool(found.solved)
    assert torch.equal(found.disps, problem.disps)
    assert torch.equal(found.intrinsics, problem.intrinsics)


def test_where_nothing_is_observed_the_damping_rises_until_there_is_a_step():
    problem = replace(disturbed(make_scene(frames=3)), prior_disps=None)
    blind = replace(problem, weight=torch.zeros_like(problem.weight))
    found = adjust(blind, BundleOptions(ep=1e-3))
    torch.testing.assert_close(found.poses, problem.poses)
    assert bool(found.solved)


def test_gradients_flow_to_targets_weights_and_damping():
    problem = small_problem()
    inputs = [problem.target, problem.weight, problem.eta]
    inputs = [value.clone().requires_grad_() for value in inputs]

    def loss(target: torch.Tensor, weight: torch.Tensor, eta: torch.Tensor) -> torch.Tensor:
        given = replace(problem, target=target, weight=weight, eta=eta)
        found = adjust(given, BundleOptions(iterations=2, alpha=0.01, focal="per_frame"))
        return se3.log(found.poses).square().sum() + found.disps.sum() + found.intrinsics.square().sum()

    loss(*inputs).backward()
    generator = torch.Generator().manual_seed(0)
    for value in inputs:
        assert value.grad.isfinite().all()
        towards = torch.rand(value.shape, generator=generator, dtype=torch.float64) * value.detach().abs().mean()
        moved = [[v.detach() + (sign * 1e-5 * towards if v is value else 0) for v in inputs] for sign in (1, -1)]
        change = float(loss(*moved[0]) - loss(*moved[1]))
        assert float((value.grad * towards).sum()) == pytest.approx(change / 2e-5, rel=1e-4)


@pytest.mark.parametrize("change", [{"focal": "free"}, {"iterations": 0}, {"first_pose": -1}, {"ep": -1.0}, {"focal_bending": -1.0}])
def test_impossible_options_are_refused(change):
    with pytest.raises(ConfigError, match="bundle adjustment"):
        BundleOptions(**change)


def test_shapes_that_do_not_fit_are_named():
    scene = make_scene(frames=3)
    with pytest.raises(ValueError, match="weight has the shape"):
        replace(scene, weight=scene.weight[1:])


def as_type(problem: Problem, dtype: torch.dtype) -> Problem:
    values = {field.name: getattr(problem, field.name) for field in fields(problem)}
    return replace(problem, **{k: v.to(dtype) for k, v in values.items() if v is not None and v.is_floating_point()})


# --- the reference's values


@pytest.fixture(scope="module")
def reference():
    return torch.load(SHARED / "megasam" / "parity_geom_ba.pt")


def reference_problem(stored: dict, dtype: torch.dtype) -> Problem:
    problem = Problem(
        poses=stored["poses"],
        disps=stored["disps"],
        intrinsics=stored["intrinsics"].expand(len(stored["poses"]), 4),
        target=stored["target"],
        weight=stored["weight"],
        eta=stored["eta"] - 1e-7,  # which is added inside
        ii=stored["ii"],
        jj=stored["jj"],
        prior_disps=stored["disps_prior"],
    )
    return as_type(problem, dtype)


def reference_options(case: str, stored: dict) -> BundleOptions:
    alpha, lm, ep, first, past = stored["params_alpha_lm_ep_t0_t1"].tolist()
    focal = "shared" if "focal" in case else "fixed"
    window = {"first_pose": int(first), "past_pose": int(past), "motion_only": case == "motion_only"}
    return BundleOptions(**window, focal=focal, lm=lm, ep=ep, alpha=alpha, disparity_range=None)


def assert_near(value: torch.Tensor, want: torch.Tensor, tolerance: float) -> None:
    torch.testing.assert_close(value.double(), want, rtol=tolerance, atol=tolerance * float(want.abs().max()))


@pytest.mark.shared
@needs_shared("megasam", "parity_geom_ba.pt")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@pytest.mark.parametrize("case", ["plain", "mono", "backend_mono", "focal", "focal_mono", "motion_only", "window"])
def test_one_step_is_that_of_the_reference(reference, case, dtype, tolerance):
    want, problem = reference[f"ba_{case}"], reference_problem(reference["ba_in"], dtype)
    options = reference_options(case, want)
    layout = layout_of(problem, options)
    got, found = bundle.step(problem, options, layout), adjust(problem, options)
    pairs = {"dx": got.poses, "H": got.hessian, "v": got.gradient, "poses": found.poses, "disps_raw": found.disps, "K": found.intrinsics[0]}
    if not options.motion_only:
        pairs |= {"S": got.reduced, "rhs_reduced": got.reduced_gradient, "dz": got.disparities[layout.sources.argsort()]}
    for name, value in pairs.items():
        assert_near(value, want[name], tolerance)
    if "df" in want:
        torch.testing.assert_close(got.focals.double(), want["df"], rtol=tolerance, atol=0.1 * tolerance)


@pytest.mark.shared
@needs_shared("megasam", "parity_geom_ba.pt")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_two_iterations_are_two_exact_steps(reference, dtype, tolerance):
    want, problem = reference["ba_mono_itr2"], reference_problem(reference["ba_in"], dtype)
    options = reference_options("mono", reference["ba_mono"])
    found = adjust(problem, replace(options, iterations=2))
    assert_near(found.poses, want["poses"], tolerance)
    assert_near(found.disps, want["disps_raw"], tolerance)


@pytest.mark.shared
@needs_shared("megasam", "parity_coupled.pt")
@pytest.mark.parametrize("case", ["frontend", "backend_focal"])
def test_adjustments_between_the_networks_steps_are_those_of_the_reference(case):
    stored = torch.load(SHARED / "megasam" / "parity_coupled.pt")
    steps, inputs = stored[case], stored["inputs"]
    front = BundleOptions(lm=1e-4, ep=0.1, alpha=0.05, iterations=2)
    options = front if case == "frontend" else BundleOptions(lm=1e-5, ep=1e-2, alpha=0.05, focal="shared", far_to_zero=True)
    now = {"poses": inputs["poses0"], "disps": inputs["disps0"], "K": inputs["K0"]}
    for k in (1, 2, 3):
        after = {name: steps[f"step{k}.{name}"] for name in ("poses", "disps", "K", "target", "ba_weight", "eta")}
        problem = Problem(
            poses=now["poses"],
            disps=now["disps"],
            intrinsics=now["K"].expand(4, 4),
            target=after["target"],
            weight=after["ba_weight"],
            eta=after["eta"],
            ii=inputs["ii"],
            jj=inputs["jj"],
            prior_disps=inputs["disps_prior"],
        )
        found = adjust(as_type(problem, torch.float64), options)
        assert_near(found.poses, after["poses"].double(), 1e-5)
        assert_near(found.disps.clamp(min=1e-3), after["disps"].double(), 1e-4)
        assert_near(found.intrinsics[0], after["K"].double(), 1e-5)
        now = after
