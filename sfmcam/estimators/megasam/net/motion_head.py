"""The head that MegaSaM adds: the probability that what a cell shows does not move (Li et al., MegaSaM, 2025, 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

from sfmcam.estimators.megasam.net.config import NetworkConfig
from sfmcam.estimators.megasam.net.grouping import group_means

NORM_EPS = 1e-6


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of each pixel of (N, C, h, w)."""

    def __init__(self, channels: int) -> None:
        """Make the norm, with a scale and a shift per channel."""
        super().__init__(channels, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class MotionHead(nn.Module):
    """From the recurrent state and the weights of each edge to a logit per cell; the edges of one source are pooled once."""

    def __init__(self, config: NetworkConfig) -> None:
        """Make the head. The layers of `dead_heads` are in the published checkpoint, and take part in no result."""
        super().__init__()
        width = config.hidden
        self.conv0 = nn.Conv2d(2 * width + 2, width, 3, padding=1)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, width, 3, padding=1)
        self.conv5 = nn.Conv2d(width, width, 3, padding=1)
        self.norm_0, self.norm_1, self.norm_3, self.norm_5 = (ChannelNorm(width) for _ in range(4))
        self.logits_2 = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.GELU(), nn.Conv2d(width, 1, 3, padding=1))
        if config.dead_heads:
            self.conv4 = nn.Conv2d(width + 1, width + 1, 3, padding=1)
            self.norm_4 = ChannelNorm(width + 1)
            self.eta = nn.Sequential(nn.Conv2d(width + 1, width, 3, padding=1), nn.GELU(), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, hidden: Tensor, weight: Tensor, rows: Tensor, members: Tensor) -> Tensor:
        """Return (E, 1, h, w) logits of standing still.

        Args:
            hidden: (E, hidden, h, w), the state after the recurrent unit.
            weight: (E, 2, h, w) in 0..1, what the weight head says.
            rows: (E,) long, the group of each edge, one per source frame.
            members: (S, E), as `membership` gives it.
        """
        average = hidden.mean(dim=(2, 3), keepdim=True).expand_as(hidden)
        first = self.conv0(torch.cat([hidden, average, weight.to(hidden.dtype)], dim=1))
        return self.after_first(first, rows, members)

    def after_first(self, first: Tensor, rows: Tensor, members: Tensor) -> Tensor:
        """Return the logits from what `conv0` gives, (E, hidden, h, w)."""
        x = F.gelu(self.norm_0(first))
        x = F.gelu(self.norm_1(self.conv1(x))) + x
        x = F.gelu(self.norm_3(self.conv3(x))) + x
        shared = F.gelu(self.norm_5(self.conv5(group_means(x, members))))
        logits: Tensor = self.logits_2(x + shared[rows])
        return logits
