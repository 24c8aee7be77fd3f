"""SE3 on tensors follows lietorch's own values, is a group, survives zero angle and pi, and has gradients everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from sfmcam.estimators.megasam import se3  # noqa: E402

NUMBERS = st.floats(-1.5, 1.5)
ANGLES = st.sampled_from([0.0, 1e-12, 1e-7, 1e-4, 0.1, 0.2236, 1.0, 3.0, 3.14159])


@st.composite
def tangents(draw) -> torch.Tensor:
    axis = torch.tensor([draw(NUMBERS) for _ in range(3)], dtype=torch.float64) + torch.tensor([0.0, 0.0, 2.0])
    tau = torch.tensor([draw(NUMBERS) for _ in range(3)], dtype=torch.float64)
    return torch.cat([tau, draw(ANGLES) * axis / axis.norm()])


def assert_same(pose: torch.Tensor, other: torch.Tensor, tolerance: float = 1e-12) -> None:
    """Compare up to the sign of the quaternion."""
    sign = torch.sign((pose[..., 3:] * other[..., 3:]).sum(-1, keepdim=True))
    torch.testing.assert_close(torch.cat([pose[..., :3], sign * pose[..., 3:]], -1), other, rtol=tolerance, atol=tolerance)


@settings(max_examples=60, deadline=None)
@given(tangents(), tangents(), tangents())
def test_rigid_motions_are_a_group(xi, other, third):
    a, b, c = se3.exp(xi), se3.exp(other), se3.exp(third)
    one = se3.identity(dtype=torch.float64)
    assert_same(se3.compose(se3.compose(a, b), c), se3.compose(a, se3.compose(b, c)))
    assert_same(se3.compose(a, se3.inverse(a)), one)
    assert_same(se3.compose(a, one), a)
    torch.testing.assert_close(se3.matrix(se3.compose(a, b)), se3.matrix(a) @ se3.matrix(b))


@settings(max_examples=60, deadline=None)
@given(tangents(), tangents())
def test_logarithm_matrix_adjoint_and_action_agree_with_the_exponential(xi, other):
    a = se3.exp(xi)
    torch.testing.assert_close(se3.log(a), xi, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(se3.matrix(a), torch.linalg.matrix_exp(hat(xi)), rtol=1e-9, atol=1e-9)
    assert_same(se3.from_matrix(se3.matrix(a)), a, 1e-9)
    assert_same(se3.compose(a, se3.exp(other)), se3.retract(a, se3.adjoint(a) @ other), 1e-9)
    point = torch.tensor([0.3, -2.0, 1.5, 0.7], dtype=torch.float64)
    torch.testing.assert_close(se3.act(a, point), se3.matrix(a) @ point)


def hat(xi: torch.Tensor) -> torch.Tensor:
    """Return the 4x4 matrix whose matrix exponential is the motion."""
    x, y, z, a, b, c = xi.tolist()
    return torch.tensor([[0, -c, b, x], [c, 0, -a, y], [-b, a, 0, z], [0, 0, 0, 0]], dtype=torch.float64)


@pytest.mark.parametrize("angle", [0.0, 1e-20, 1e-9, 1e-5, 0.22360, 0.22361, 1.0, 3.1, 3.1415])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_way_there_and_back_has_the_gradient_of_the_identity(angle, dtype):
    xi = torch.tensor([0.5, -0.2, 1.0, 0.6 * angle, 0.0, 0.8 * angle], dtype=dtype)
    there = torch.func.jacrev(lambda x: se3.log(se3.exp(x)))(xi)
    torch.testing.assert_close(there, torch.eye(6, dtype=dtype), rtol=0, atol=1e-5 if dtype == torch.float32 else 1e-6)


@pytest.mark.parametrize("axis", [(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0), (0.6, 0.0, -0.8)])
def test_half_a_turn_is_read_back_from_a_matrix(axis):
    pose = torch.tensor([0, 0, 0, *axis, 0], dtype=torch.float64)
    assert_same(se3.from_matrix(se3.matrix(pose)), pose)
    assert float(se3.log(pose)[3:].norm()) == pytest.approx(torch.pi)


def test_interpolation_ends_at_both_ends_and_goes_at_constant_speed():
    first, last = se3.exp(torch.tensor([0.1, 0.2, -1, 0.2, 0, 0.4])), se3.exp(torch.tensor([1.0, 0, 0, 0, 0.3, 0]))
    path = se3.interpolate(first, last, torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))
    assert_same(path[[0, -1]], torch.stack([first, last]), 1e-6)
    steps = se3.log(se3.compose(path[1:], se3.inverse(path[:-1])))
    torch.testing.assert_close(steps, steps[:1].expand(4, 6), rtol=1e-5, atol=1e-6)


@pytest.mark.shared
@needs_shared("megasam", "parity_geom_ba.pt")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_values_are_those_of_lietorch(dtype, tolerance):
    """lietorch's C++ code on the CPU, 48 motions with angles 0, 1e-9, 1e-5 and up to almost pi."""
    want = {k: v.to(dtype) for k, v in torch.load(SHARED / "megasam" / "parity_geom_ba.pt")["se3"].items()}
    pose, adjoint = want["exp"], se3.adjoint(want["exp"])

    def close(value: torch.Tensor, name: str) -> None:
        torch.testing.assert_close(value, want[name], rtol=tolerance, atol=tolerance)

    close(se3.matrix(pose), "matrix")
    close(adjoint, "Adj_matrix")
    close((adjoint @ want["vec6"][..., None])[..., 0], "Adj_vec")
    close((adjoint.mT @ want["vec6"][..., None])[..., 0], "AdjT_vec")
    close(se3.act(pose, want["vec4"]), "act4")
    close(se3.log(pose), "log")
    assert_same(se3.exp(want["xi"]), pose, tolerance)
    assert_same(se3.inverse(pose), want["inv"], tolerance)
    assert_same(se3.compose(pose, want["B"]), want["mul_AB"], tolerance)
    assert_same(se3.retract(pose, want["retr_xi"]), want["retr_left"], tolerance)
    assert_same(se3.from_matrix(want["matrix"]), pose, tolerance)
    start, end = want["interp_t0t1"]
    share = (want["interp_t"] - start) / (end - start + 1e-3)
    assert_same(se3.interpolate(want["interp_P0"], want["interp_P1"], share), want["interp_out"], tolerance)
