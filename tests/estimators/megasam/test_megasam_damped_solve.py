"""The damping rises tenfold until a system can be solved, asked one by one or all at once, and a hopeless one gives no step."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from sfmcam.estimators.megasam import damped_solve  # noqa: E402


@pytest.mark.parametrize(("least", "level"), [(1.0, 1), (-0.5, 1), (-5.0, 10), (-5e3, 1e4), (-9e4, 1e5)])
def test_the_smallest_damping_that_serves_is_taken(least, level):
    """A matrix with the smallest eigenvalue `least` and damping of 1 needs the first power of ten above -least."""
    basis = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))).Q
    matrix = basis @ torch.diag(torch.tensor([least, 1, 2, 3, 4, 5], dtype=torch.float64)) @ basis.T
    right, damping = torch.arange(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    solution, solved = damped_solve.solve(matrix, right, damping)
    assert bool(solved)
    torch.testing.assert_close((matrix + level * torch.eye(6, dtype=torch.float64)) @ solution, right)


@pytest.mark.parametrize("matrix", [-1e9 * torch.eye(3, dtype=torch.float64), torch.full((3, 3), torch.nan, dtype=torch.float64)])
def test_a_hopeless_system_gives_no_step(matrix):
    solution, solved = damped_solve.solve(matrix, torch.ones(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
    assert not bool(solved)
    assert not solution.any()


def test_a_right_side_that_is_not_finite_gives_no_step():
    one = torch.eye(2, dtype=torch.float64)
    solution, solved = damped_solve.solve(one, torch.tensor([1, torch.inf], dtype=torch.float64), one[0])
    assert not bool(solved)
    assert not solution.any()


@pytest.mark.parametrize("least", [1.0, -0.5, -5.0, -5e3, -9e4, -1e9, float("nan")])
def test_all_levels_at_once_choose_as_one_by_one(least):
    """What a GPU does, on the CPU."""
    matrix = torch.diag(torch.tensor([least, 1.0, 2.0], dtype=torch.float64))
    damping = torch.ones(3, dtype=torch.float64)
    one_by_one, at_once = damped_solve.one_by_one(matrix, damping), damped_solve.at_once(matrix, damping)
    assert bool(one_by_one[1]) == bool(at_once[1])
    if bool(at_once[1]):
        assert float(one_by_one[0]) == float(at_once[0])


def test_gradients_are_finite_even_where_there_is_no_step():
    matrix = torch.full((2, 2), torch.nan, dtype=torch.float64)
    right = torch.ones(2, dtype=torch.float64, requires_grad=True)
    solution, _ = damped_solve.solve(matrix, right, torch.ones(2, dtype=torch.float64))
    solution.sum().backward()
    assert right.grad.isfinite().all()
