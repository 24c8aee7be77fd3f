"""The losses, each a mean over what may be judged. Distances are in cells of the 1/8 grid.

Flow, reprojection and pose are DROID-SLAM's (Teed and Deng, 2021, 3.3), the cross entropy of the motion probability is MegaSaM's (Li
et al., 2025, 3.2). The likelihood of the weights is ours: a weight says how far a flow can be believed, so it is trained to say that
from the first step on, before there is any bundle adjustment to learn it through.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

from sfmcam.estimators.megasam import se3

FINEST = 0.05  # cells: the error of a flow that is believed fully (0.4 pixels)
MOVER_SHARE = 2.0  # a cell of a mover counts as much as so many static ones, as there are few
OUT_OF_SIGHT = 0.1  # what the flow of a cell counts that has left the picture


def masked_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean of (...) values; zero where nothing has weight."""
    return (values * weights).sum() / weights.sum().clamp(min=1e-6)


def in_sight(coords: Tensor) -> Tensor:
    """Return where (E, h, w, 2) coordinates lie in the picture, (E, h, w) bool."""
    height, width = coords.shape[1:3]
    x, y = coords.unbind(-1)
    return (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)


def flow_loss(target: Tensor, truth: Tensor, judged: Tensor) -> Tensor:
    """Return the mean distance of (E, h, w, 2) targets from the truth, over (E, h, w) bool `judged`."""
    weights = judged * torch.where(in_sight(truth), 1.0, OUT_OF_SIGHT)
    return masked_mean((target - truth).abs().sum(-1), weights)


def weight_loss(weight: Tensor, error: Tensor, judged: Tensor) -> Tensor:
    """Return the negative log likelihood of flow errors (E, h, w, 2) under a Cauchy distribution of scale FINEST / weight.

    The error is held constant: the weights answer for it, and the flow is not let off where a low weight would excuse it. A Cauchy
    distribution, since under a normal one a single cell on the wrong side of an edge would outweigh all others. As bundle adjustment
    weighs squares, a weight of 1 / error lets it minimise sums of distances rather than of squares, as a robust kernel would.
    """
    weight = weight.clamp(min=1e-4)
    return masked_mean((torch.log1p((weight * error.detach() / FINEST) ** 2) - torch.log(weight)).mean(-1), judged.float())


def motion_loss(static_logit: Tensor, static: Tensor) -> Tensor:
    """Return the cross entropy of the (E, h, w) logits that a cell stands still, given where it does."""
    balance = torch.where(static, 1.0, MOVER_SHARE)
    return masked_mean(F.binary_cross_entropy_with_logits(static_logit, static.float(), reduction="none"), balance)


def pose_loss(poses: Tensor, truth: Tensor, *, ii: Tensor, jj: Tensor) -> Tensor:
    """Return the mean length of translation plus rotation by which relative poses (cam_j_from_cam_i) of (F, 7) poses are off."""
    found = se3.compose(poses[jj], se3.inverse(poses[ii]))
    right = se3.compose(truth[jj], se3.inverse(truth[ii]))
    off = se3.log(se3.compose(found, se3.inverse(right)))
    return (torch.sqrt((off[:, :3] ** 2).sum(-1) + 1e-8) + torch.sqrt((off[:, 3:] ** 2).sum(-1) + 1e-8)).mean()


def reprojection_loss(coords: Tensor, truth: Tensor, judged: Tensor) -> Tensor:
    """Return how far (at most 10 cells) found poses and disparities put the cells from where the true ones put them, on average."""
    return masked_mean((coords - truth).abs().sum(-1).clamp(max=10.0), (judged & in_sight(truth)).float())
