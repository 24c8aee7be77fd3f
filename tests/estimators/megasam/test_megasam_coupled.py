"""Network, reprojection and bundle adjustment in a chain give what the published ones give together, three steps far."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shared_data import SHARED, needs_shared

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from sfmcam.estimators.megasam.bundle import BundleOptions, Problem, adjust  # noqa: E402  (only where torch is)
from sfmcam.estimators.megasam.camera import reproject  # noqa: E402
from sfmcam.estimators.megasam.net.checkpoint import load_network  # noqa: E402
from sfmcam.estimators.megasam.net.operator import LearnedOperator, OperatorOptions  # noqa: E402
from sfmcam.estimators.megasam.operator import Sight  # noqa: E402

pytestmark = [pytest.mark.shared, needs_shared("megasam", "parity_coupled.pt")]
FRONTEND = BundleOptions(lm=1e-4, ep=0.1, alpha=0.05, iterations=2)
BACKEND = BundleOptions(lm=1e-5, ep=1e-2, alpha=0.05, iterations=1, focal="shared", far_to_zero=True)
LEAST_DISPARITY, EXTRA_ETA = 1e-3, 1e-7
TOLERANCE, POSE_TOLERANCE = 1e-4, 1e-5


@pytest.fixture(scope="module")
def folder() -> Path:
    assert SHARED is not None
    return SHARED / "megasam"


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Any:
    return torch.load(folder / "parity_net.pt", weights_only=True)["images_rgb_u8"]


@pytest.fixture(scope="module")
def operator(folder: Path) -> LearnedOperator:
    return LearnedOperator(load_network(folder / "parity_weights_fp16.pt"), OperatorOptions(torch.device("cpu")))


@pytest.mark.parametrize(("name", "options"), [("frontend", FRONTEND), ("backend_focal", BACKEND)])
def test_three_steps(name: str, options: BundleOptions, folder: Path, pictures: Any, operator: LearnedOperator) -> None:
    stored = torch.load(folder / "parity_coupled.pt", weights_only=True)
    given, truth = stored["inputs"], stored[name]
    ii, jj = given["ii"], given["jj"]
    frames = [operator.encode(image, k) for k, image in enumerate(pictures)]
    edges = operator.open([frames[i] for i in ii], [frames[j] for j in jj])
    poses, disps, intrinsics = given["poses0"], given["disps0"], given["K0"].expand(len(frames), 4)
    target = reproject(poses, disps, intrinsics, ii=ii, jj=jj).coords.float()
    for step in (1, 2, 3):
        coords = reproject(poses, disps, intrinsics, ii=ii, jj=jj).coords.float()
        edges, revision = operator.revise(edges, Sight(ii, coords, target))
        target = revision.target
        problem = Problem(
            poses,
            disps,
            intrinsics,
            target.double(),
            revision.weight.double(),
            revision.eta.double() + EXTRA_ETA,
            ii,
            jj,
            prior_disps=given["disps_prior"],
        )
        adjusted = adjust(problem, options)
        poses, disps, intrinsics = adjusted.poses, adjusted.disps.clamp(min=LEAST_DISPARITY), adjusted.intrinsics
        found = {"coords1": coords, "target": target, "ba_weight": revision.weight, "eta": revision.eta, "disps": disps, "K": intrinsics[0]}
        for quantity, value in found.items():
            wanted = truth[f"step{step}.{quantity}"].double()
            assert float((value.double() - wanted).abs().max()) <= TOLERANCE, (step, quantity)
        wanted = truth[f"step{step}.poses"]
        assert float((poses - wanted).abs().max()) <= POSE_TOLERANCE, (step, "poses")
