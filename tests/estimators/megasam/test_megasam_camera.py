"""Reprojection and its derivatives follow the reference and finite differences, with a focal length of its own for each frame."""

from __future__ import annotations

import pytest
from shared_data import SHARED, needs_shared

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from sfmcam.estimators.megasam import camera, se3  # noqa: E402

II, JJ = torch.tensor([0, 0, 1, 2]), torch.tensor([1, 2, 0, 1])


def scene(dtype: torch.dtype = torch.float64):
    """Return poses (3, 7), disparities (3, 4, 5) and three different cameras, every point well in front of every camera."""
    generator = torch.Generator().manual_seed(3)
    poses = se3.exp(0.15 * torch.randn(3, 6, generator=generator, dtype=torch.float64))
    disps = 0.3 + 0.5 * torch.rand(3, 4, 5, generator=generator, dtype=torch.float64)
    intrinsics = torch.tensor([[4.0, 4.2, 2.1, 1.4], [5.0, 5.1, 2.0, 1.5], [6.0, 5.8, 1.9, 1.6]], dtype=torch.float64)
    return poses.to(dtype), disps.to(dtype), intrinsics.to(dtype)


def coordinates(poses, disps, intrinsics, xi, rise):
    """Reproject after left steps xi (3, 6), and focal lengths longer by a factor exp(rise) (3,) for projection and unprojection alike."""
    longer = torch.cat([intrinsics[:, :2] * torch.exp(rise)[:, None], intrinsics[:, 2:]], 1)
    return camera.reproject(se3.retract(poses, xi), disps, longer, ii=II, jj=JJ).coords


def test_a_pixel_goes_where_matrices_take_it():
    poses, disps, intrinsics = scene()
    found = camera.reproject(poses, disps, intrinsics, ii=II, jj=JJ)
    x, y, edge = 3, 1, 3
    i, j = int(II[edge]), int(JJ[edge])
    depth = 1 / disps[i, y, x]
    fx, fy, cx, cy = intrinsics[i]
    point = torch.stack([(x - cx) / fx * depth, (y - cy) / fy * depth, depth, torch.ones_like(depth)])
    moved = se3.matrix(poses[j]) @ torch.linalg.inv(se3.matrix(poses[i])) @ point
    fx, fy, cx, cy = intrinsics[j]
    torch.testing.assert_close(found.coords[edge, y, x], torch.stack([fx * moved[0] / moved[2] + cx, fy * moved[1] / moved[2] + cy]))
    assert found.depth_ok.all()


def test_each_derivative_is_that_of_the_reprojection():
    poses, disps, intrinsics = scene()
    still = torch.zeros(3, 6, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    got = camera.jacobians(poses, disps, intrinsics, ii=II, jj=JJ)
    by_disps, by_xi, by_rise = torch.func.jacrev(lambda d, x, f: coordinates(poses, d, intrinsics, x, f), argnums=(0, 1, 2))(disps, *still)
    for edge, (i, j) in enumerate(zip(II.tolist(), JJ.tolist(), strict=True)):
        torch.testing.assert_close(got.pose_i[edge], by_xi[edge, :, :, :, i])
        torch.testing.assert_close(got.pose_j[edge], by_xi[edge, :, :, :, j])
        torch.testing.assert_close(got.focal_i[edge], by_rise[edge, :, :, :, i])
        torch.testing.assert_close(got.focal_j[edge], by_rise[edge, :, :, :, j])
        own = by_disps[edge][:, :, :, i]  # h w 2 h w
        torch.testing.assert_close(got.disparity[edge], torch.einsum("yxcyx->yxc", own))


def test_each_derivative_is_the_quotient_of_differences():
    poses, disps, intrinsics = scene()
    got = camera.jacobians(poses, disps, intrinsics, ii=II, jj=JJ)
    still, step = (torch.zeros(3, 6, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)), 1e-6
    for column in range(6):
        xi = torch.zeros(3, 6, dtype=torch.float64)
        xi[1, column] = step
        change = coordinates(poses, disps, intrinsics, xi, still[1]) - coordinates(poses, disps, intrinsics, -xi, still[1])
        torch.testing.assert_close(change[0] / (2 * step), got.pose_j[0, ..., column], rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(change[2] / (2 * step), got.pose_i[2, ..., column], rtol=1e-6, atol=1e-7)


def test_a_longer_lens_magnifies_and_its_own_view_stays():
    poses = se3.identity(2, dtype=torch.float64)
    disps = torch.ones(2, 4, 5, dtype=torch.float64)
    intrinsics = torch.tensor([[4.0, 4.0, 2.0, 1.5], [8.0, 8.0, 2.0, 1.5]], dtype=torch.float64)
    centre = torch.tensor([2.0, 1.5], dtype=torch.float64)
    pixels = camera.grid(4, 5, like=disps)
    coords = camera.reproject(poses, disps, intrinsics, ii=torch.tensor([0, 1]), jj=torch.tensor([1, 0])).coords
    torch.testing.assert_close(coords[0], centre + 2 * (pixels - centre))
    torch.testing.assert_close(coords[1], centre + 0.5 * (pixels - centre))


@pytest.mark.parametrize("z", [-3.0, 0.0, 0.05, 0.2499])
def test_points_before_the_near_plane_are_finite_and_have_no_say(z):
    poses = se3.identity(2)
    poses[1, 2] = z - 1
    found = camera.reproject(poses, torch.ones(2, 4, 5), torch.tensor([[4.0, 4.0, 2.0, 1.5]]).expand(2, 4), ii=II[:1], jj=JJ[:1])
    assert found.coords.isfinite().all()
    assert not found.depth_ok.any()


@pytest.mark.shared
@needs_shared("megasam", "parity_geom_ba.pt")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_coordinates_and_derivatives_are_those_of_the_reference(dtype, tolerance):
    want = torch.load(SHARED / "megasam" / "parity_geom_ba.pt")["geom"]
    poses, disps = want["poses"].to(dtype), want["disps"].to(dtype)
    intrinsics = want["intrinsics"].to(dtype).expand(len(poses), 4)
    ii, jj, valid = want["ii"], want["jj"], want["valid"] > 0
    width = 2 * intrinsics[:, 2:3].expand(-1, 2)  # the reference's parameter is the focal length over the width, fx and fy alike
    got = camera.jacobians(poses, disps, intrinsics, ii=ii, jj=jj, focal_rate=width)
    pairs = {
        "coords": camera.reproject(poses, disps, intrinsics, ii=ii, jj=jj).coords,
        "Ji": got.pose_i,
        "Jj": got.pose_j,
        "Jz": got.disparity,
        "Jf": got.focal_i + got.focal_j,
    }
    for name, value in pairs.items():
        scale = float(want[name][valid].abs().max())
        torch.testing.assert_close(value[valid].double(), want[name][valid], rtol=tolerance, atol=tolerance * scale)
