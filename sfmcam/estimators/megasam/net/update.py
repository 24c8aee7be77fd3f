"""The recurrent update operator (Teed and Deng, DROID-SLAM, 2021, 3.2), with MegaSaM's motion head where the network has one.

This is the plain form, in which the network is trained; `fused.py` computes the same in fewer and larger steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

from sfmcam.estimators.megasam.net.config import NetworkConfig
from sfmcam.estimators.megasam.net.grouping import group_means, membership, source_rows
from sfmcam.estimators.megasam.net.motion_head import MotionHead

MOTION_CLAMP = 64.0  # cells of the 1/8 grid
DAMPING_SCALE = 0.01
UPSAMPLING = 8
NEIGHBOURS = 9


@dataclass(frozen=True)
class Update:
    """What one update says of E edges with S source frames.

    Attributes:
        hidden: (E, hidden, h, w) the next recurrent state.
        delta: (E, h, w, 2) float32, how far the targets lie from the reprojection, in cells (x, y).
        raw_weight: (E, h, w, 2) float32 in 0..1.
        static_logit: (E, h, w) float32 logit that the cell does not move; None without a motion head or without groups.
        eta: (S, h, w) float32 damping of each source frame's disparity, rows by ascending frame; None without groups.
        aggregated: (S, hidden, h, w) what the upsampling mask is made from; None without groups.
    """

    hidden: Tensor
    delta: Tensor
    raw_weight: Tensor
    static_logit: Tensor | None = None
    eta: Tensor | None = None
    aggregated: Tensor | None = None

    @property
    def static_probability(self) -> Tensor:
        """(E, h, w) in 0..1 that the cell does not move; one everywhere where no head says otherwise."""
        return torch.ones_like(self.delta[..., 0]) if self.static_logit is None else torch.sigmoid(self.static_logit)

    @property
    def weight(self) -> Tensor:
        """(E, h, w, 2) what bundle adjustment uses: `raw_weight` times the probability that the cell does not move."""
        return self.raw_weight * self.static_probability[..., None]


def motion_features(coords: Tensor, target: Tensor) -> Tensor:
    """Return (E, 4, h, w): the flow of the reprojection and the last revision's distance from it, clamped.

    Args:
        coords: (E, h, w, 2) where poses and disparities put each cell.
        target: (E, h, w, 2) where the last revision put it.
    """
    grid = cell_grid(coords.shape[1], coords.shape[2], like=coords)
    return torch.cat([coords - grid, target - coords], dim=-1).permute(0, 3, 1, 2).clamp(-MOTION_CLAMP, MOTION_CLAMP)


def cell_grid(height: int, width: int, *, like: Tensor) -> Tensor:
    """Return (h, w, 2), the (x, y) of every cell."""
    y = torch.arange(height, device=like.device, dtype=like.dtype)
    x = torch.arange(width, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def upsample(disparity: Tensor, mask: Tensor) -> Tensor:
    """Return (S, 8h, 8w): each fine cell a convex combination of its coarse cell's 3x3 neighbourhood (RAFT, 2020, 3.3).

    Args:
        disparity: (S, h, w).
        mask: (S, 9 * 8 * 8, h, w) logits; channel 64 k + 8 dy + dx weighs neighbour k for the fine cell (dy, dx).
    """
    count, height, width = disparity.shape
    shares = torch.softmax(mask.view(count, NEIGHBOURS, UPSAMPLING, UPSAMPLING, height, width).float(), dim=1)
    around = F.unfold(disparity[:, None], 3, padding=1).view(count, NEIGHBOURS, 1, 1, height, width)
    fine = (shares * around).sum(dim=1)
    return fine.permute(0, 3, 1, 4, 2).reshape(count, UPSAMPLING * height, UPSAMPLING * width)


class ConvGRU(nn.Module):
    """A convolutional gated recurrent unit whose gates also see a mean of the state over the picture."""

    def __init__(self, config: NetworkConfig) -> None:
        """Make the unit."""
        super().__init__()
        width = config.hidden
        self.convz, self.convr, self.convq = (nn.Conv2d(config.gate_inputs, width, 3, padding=1) for _ in range(3))
        self.w = nn.Conv2d(width, width, 1)
        self.convz_glo, self.convr_glo, self.convq_glo = (nn.Conv2d(width, width, 1) for _ in range(3))

    def forward(self, hidden: Tensor, inputs: Tensor) -> Tensor:
        """Return the next state of (E, hidden, h, w), given the (E, context + hidden + flow, h, w) inputs."""
        overall = self.overall(hidden)
        seen = torch.cat([hidden, inputs], dim=1)
        update = torch.sigmoid(self.convz(seen) + self.convz_glo(overall))
        reset = torch.sigmoid(self.convr(seen) + self.convr_glo(overall))
        proposal = torch.tanh(self.convq(torch.cat([reset * hidden, inputs], dim=1)) + self.convq_glo(overall))
        return (1 - update) * hidden + update * proposal

    def overall(self, hidden: Tensor) -> Tensor:
        """Return (E, hidden, 1, 1), the gated mean of the state over the picture."""
        return (torch.sigmoid(self.w(hidden)) * hidden).mean(dim=(2, 3), keepdim=True)


class Aggregation(nn.Module):
    """What the edges of one source frame say together: the damping of its disparity, and how to upsample it."""

    def __init__(self, config: NetworkConfig) -> None:
        """Make the layers."""
        super().__init__()
        width = config.hidden
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.eta = nn.Sequential(nn.Conv2d(width, 1, 3, padding=1))
        self.upmask = nn.Sequential(nn.Conv2d(width, NEIGHBOURS * UPSAMPLING**2, 1))

    def forward(self, hidden: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        """Return (S, h, w) damping, and (S, hidden, h, w) from which `upmask` makes its logits."""
        return self.after_first(torch.relu(self.conv1(hidden)), members)

    def after_first(self, first: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same from the rectified output of `conv1`."""
        pooled = torch.relu(self.conv2(group_means(first, members)))
        return DAMPING_SCALE * F.softplus(self.eta(pooled)[:, 0].float()), pooled


class UpdateBlock(nn.Module):
    """Correlation and motion in, a revised flow with its weights out."""

    def __init__(self, config: NetworkConfig) -> None:
        """Make the block."""
        super().__init__()
        width = config.hidden
        self.corr_encoder = nn.Sequential(
            nn.Conv2d(config.correlations, width, 1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
        )
        self.flow_encoder = nn.Sequential(
            nn.Conv2d(4, width, 7, padding=3), nn.ReLU(), nn.Conv2d(width, config.flow, 3, padding=1), nn.ReLU()
        )
        self.gru = ConvGRU(config)
        self.delta, self.weight = (
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 2, 3, padding=1)) for _ in range(2)
        )
        self.agg = Aggregation(config)
        self.agg_motion = MotionHead(config) if config.motion_head else None

    def forward(self, hidden: Tensor, context: Tensor, seen: tuple[Tensor, Tensor], ii: Tensor | None = None) -> Update:
        """Return the update of E edges.

        Args:
            hidden: (E, hidden, h, w) recurrent state.
            context: (E, context, h, w) of each edge's source frame.
            seen: the (E, correlations, h, w) lookup and the (E, 4, h, w) motion features.
            ii: (E,) long source frames; all edges of a source belong in one call. None: edges apart, without damping and motion.
        """
        lookup, motion = seen
        hidden = self.gru(hidden, torch.cat([context, self.corr_encoder(lookup), self.flow_encoder(motion)], dim=1))
        delta = self.delta(hidden).float().permute(0, 2, 3, 1)
        weight = torch.sigmoid(self.weight(hidden).float())
        raw_weight = weight.permute(0, 2, 3, 1)
        if ii is None:
            return Update(hidden, delta, raw_weight)
        rows, groups = source_rows(ii)
        members = membership(rows, groups)
        eta, aggregated = self.agg(hidden, members)
        logit = None if self.agg_motion is None else self.agg_motion(hidden, weight, rows, members)[:, 0].float()
        return Update(hidden, delta, raw_weight, logit, eta, aggregated)
