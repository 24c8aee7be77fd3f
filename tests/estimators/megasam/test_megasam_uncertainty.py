"""Covariances are those of the whole problem and those that repetition shows, and the tests of observability tell a turn from a travel."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shared_data import SHARED, needs_shared

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from megasam_scene import make_scene  # noqa: E402

from sfmcam.estimators.megasam import camera, observability, se3  # noqa: E402
from sfmcam.estimators.megasam.bundle import BundleOptions, Problem, adjust  # noqa: E402
from sfmcam.estimators.megasam.uncertainty import uncertainty_of  # noqa: E402


def noisy(scene: Problem, *, noise_px: float, seed: int = 0) -> Problem:
    generator = torch.Generator().manual_seed(seed)
    return replace(scene, target=scene.target + noise_px * torch.randn(scene.target.shape, generator=generator, dtype=torch.float64))


def with_prior(scene: Problem) -> Problem:
    return replace(scene, prior_disps=scene.disps)


def whole_covariance(problem: Problem, alpha: float) -> torch.Tensor:
    """Invert the normal equations over poses 1.., log focal of each frame and all disparities, held to themselves by alpha."""
    frames, pixels = len(problem.poses), problem.disps.numel()

    def coordinates(x: torch.Tensor) -> torch.Tensor:
        xi = torch.cat([x.new_zeros(1, 6), x[: 6 * (frames - 1)].view(-1, 6)])
        rise = x[6 * (frames - 1) : 7 * frames - 6]
        lenses = torch.cat([problem.intrinsics[:, :2] * torch.exp(rise)[:, None], problem.intrinsics[:, 2:]], 1)
        disps = problem.disps + x[7 * frames - 6 :].view(problem.disps.shape)
        return camera.reproject(se3.retract(problem.poses, xi), disps, lenses, ii=problem.ii, jj=problem.jj).coords

    rates = torch.func.jacrev(coordinates)(torch.zeros(7 * frames - 6 + pixels, dtype=torch.float64)).flatten(0, 3)
    hessian = rates.T @ (1e-3 * problem.weight.flatten()[:, None] * rates)
    each = torch.arange(7 * frames - 6, len(hessian))
    hessian[each, each] += alpha
    return torch.linalg.inv(hessian)[: 7 * frames - 6, : 7 * frames - 6]


def test_covariances_are_those_of_the_whole_inverse():
    problem = with_prior(make_scene(frames=3, size=(4, 5), zoom=0.2))
    options = BundleOptions(focal="per_frame", alpha=0.01)
    got, want = uncertainty_of(problem, options), whole_covariance(problem, 0.01)
    for k in range(2):
        torch.testing.assert_close(got.pose_covariance[k], want[6 * k : 6 * k + 6, 6 * k : 6 * k + 6], rtol=1e-4, atol=1e-8)
    torch.testing.assert_close(got.focal_covariance, want[12:, 12:], rtol=1e-4, atol=1e-8)
    torch.testing.assert_close(got.focal_information, torch.linalg.inv(want[12:, 12:]), rtol=1e-4, atol=1e-8)


def test_sigmas_are_those_that_repeated_noise_shows():
    """Thirty repetitions with independent noise of each pixel; a standard deviation is then known to 13 %."""
    scene = with_prior(make_scene(frames=4))
    options = BundleOptions(focal="shared", alpha=0.05, iterations=2, ep=0, lm=0)
    solved = [adjust(noisy(scene, noise_px=0.1, seed=seed), options) for seed in range(30)]
    said = adjust(noisy(scene, noise_px=0.1), replace(options, uncertainty=True)).uncertainty
    focal = torch.stack([found.intrinsics[0, 0] for found in solved]) / (2 * scene.intrinsics[0, 2])
    assert float(focal.std() / (said.focal_covariance[0, 0] * said.noise).sqrt()) == pytest.approx(1, abs=0.35)
    steps = torch.stack([se3.log(se3.compose(found.poses[3], se3.inverse(scene.poses[3]))) for found in solved])
    ratio = steps.std(0) / (torch.diagonal(said.pose_covariance[2]) * said.noise).sqrt()
    assert float(ratio.log().abs().max()) < 0.45
    assert float(said.noise) == pytest.approx(1e-3 * 0.1**2, rel=0.3)  # less what the free depths take


def test_focals_of_which_nothing_is_known_have_no_sigma_to_speak_of():
    scene = make_scene(frames=3)
    blind = replace(scene, weight=torch.zeros_like(scene.weight))
    got = uncertainty_of(blind, BundleOptions(focal="per_frame"))
    assert float(got.focal_covariance.diagonal().min()) > 1e6
    assert float(got.pose_covariance.diagonal(dim1=1, dim2=2).min()) > 1e6
    assert int(got.count) == 0


def test_a_pan_tells_the_focal_length_and_going_straight_does_not():
    """The released sum cannot tell: it is larger for the motion that says less."""
    pan = noisy(make_scene(move=0.05, turn=0.5), noise_px=0.1)
    straight = noisy(make_scene(move=0.3, turn=0.0), noise_px=0.1)
    known = [observability.focal_knowledge(problem) for problem in (pan, straight)]
    assert known[0].known
    assert known[0].log_focal_sigma < 0.2 * known[1].log_focal_sigma


def test_the_more_noise_the_less_is_known():
    sigmas = [observability.focal_knowledge(noisy(make_scene(turn=0.3), noise_px=px)).log_focal_sigma for px in (0.05, 0.2)]
    assert sigmas[1] == pytest.approx(4 * sigmas[0], rel=0.2)


def test_a_turn_shows_no_depth():
    sums = [observability.derivative_sums(s.poses, s.disps, s.intrinsics, ii=s.ii, jj=s.jj) for s in (make_scene(move=0.0), make_scene())]
    assert float(sums[0].median_disparity) < 1e-20
    assert float(sums[1].median_disparity) > 1


@pytest.mark.shared
@needs_shared("megasam", "parity_geom_ba.pt")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_the_released_sums_are_those_of_the_reference(dtype, tolerance):
    stored = torch.load(SHARED / "megasam" / "parity_geom_ba.pt")
    scene, want = stored["geom"], stored["observability"]
    lenses = scene["intrinsics"].to(dtype).expand(5, 4)
    got = observability.derivative_sums(scene["poses"].to(dtype), scene["disps"].to(dtype), lenses, ii=want["ii"], jj=want["jj"])
    scale = float(want["disp_hessian_map"].max())
    torch.testing.assert_close(got.disparity.double(), want["disp_hessian_map"], rtol=tolerance, atol=tolerance * scale)
    torch.testing.assert_close(got.median_disparity.double(), want["median_disp_hessian"], rtol=tolerance, atol=0)
    torch.testing.assert_close(got.focal.double(), want["calib_hessian"], rtol=tolerance, atol=0)
