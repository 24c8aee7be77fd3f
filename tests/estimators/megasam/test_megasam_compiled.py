"""The compiled linearisation is that of the tensors, and gives way to it where gradients are wanted."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from megasam_scene import disturbed, make_scene  # noqa: E402

from sfmcam.estimators.megasam import camera, linearise_compiled, normal_equations  # noqa: E402
from sfmcam.estimators.megasam.layout import layout_of  # noqa: E402
from sfmcam.estimators.megasam.linearise import linearise  # noqa: E402
from sfmcam.estimators.megasam.problem import BundleOptions, Problem  # noqa: E402

OPTIONS = [
    BundleOptions(),
    BundleOptions(focal="shared"),
    BundleOptions(focal="per_frame", huber_px=0.4),
    BundleOptions(motion_only=True, focal="per_frame"),
]


def large_problem() -> Problem:
    """Return a problem of more pixels than a block of the compiled code has, uneven degrees, and points before the near plane."""
    scene = disturbed(make_scene(frames=4, size=(20, 30)))
    keep = torch.arange(len(scene.ii)) % 5 != 0
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(int(keep.sum()), 20, 30, 2, generator=generator, dtype=torch.float64)
    disps = scene.disps.clone()
    disps[:, ::3, ::4] = 9
    target = scene.target[keep] + torch.randn(weight.shape, generator=generator, dtype=torch.float64)
    return replace(scene, disps=disps, ii=scene.ii[keep], jj=scene.jj[keep], target=target, weight=weight)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: f"{o.focal} {'poses only' if o.motion_only else ''}")
def test_the_compiled_sums_are_those_of_the_tensors(options):
    problem = linearise_compiled.prepared(large_problem())
    motion = camera.relative(problem.poses, ii=problem.ii, jj=problem.jj)
    points = camera.homogeneous(problem.disps, problem.intrinsics)
    (batch,) = layout_of(problem, options).batches
    assert batch.meant is not None
    given = {"motion": motion[batch.edges], "points": points[batch.frames]}
    quick, plain = (work(problem, options, batch, **given) for work in (linearise_compiled.linearise_quickly, linearise))
    torch.testing.assert_close(quick.gram, plain.gram, rtol=1e-10, atol=1e-10)
    assert int(quick.count) == int(plain.count) < problem.weight.numel()
    if not options.motion_only:
        for name in ("rows", "curvature", "slope"):
            torch.testing.assert_close(getattr(quick, name), getattr(plain, name), rtol=1e-10, atol=1e-10)


def test_where_a_gradient_is_wanted_tensors_do_the_work(monkeypatch):
    problem, options = large_problem(), BundleOptions()
    calls = []
    monkeypatch.setattr(linearise_compiled, "linearise", lambda *a, **k: calls.append(1) or linearise(*a, **k))
    layout = layout_of(problem, options)
    normal_equations.build(problem, options, layout)
    assert not calls
    normal_equations.build(replace(problem, weight=problem.weight.requires_grad_()), options, layout)
    assert calls


def test_without_numba_tensors_do_the_work(monkeypatch):
    problem, options = large_problem(), BundleOptions()
    want = normal_equations.build(problem, options, layout_of(problem, options))
    monkeypatch.setitem(sys.modules, "sfmcam.estimators.megasam.edge_kernels", None)
    got = normal_equations.build(problem, options, layout_of(problem, options))
    torch.testing.assert_close(got.hessian, want.hessian, rtol=1e-10, atol=1e-10)


def test_half_precision_and_transposed_inputs_are_taken():
    problem, options = large_problem(), BundleOptions()
    want = normal_equations.build(problem, options, layout_of(problem, options))
    odd = replace(problem, target=problem.target.transpose(1, 2).contiguous().transpose(1, 2), weight=problem.weight.bfloat16())
    got = normal_equations.build(odd, options, layout_of(problem, options))
    torch.testing.assert_close(got.hessian, want.hessian, rtol=0.01, atol=0.01 * float(want.hessian.abs().max()))
