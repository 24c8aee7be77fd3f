"""The whole network: two encoders and the update operator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sfmcam.estimators.megasam.net.config import NetworkConfig
from sfmcam.estimators.megasam.net.encoder import Encoder, normalise
from sfmcam.estimators.megasam.net.update import UpdateBlock


class Network(nn.Module):
    """MegaSaM's network, or DROID-SLAM's where the configuration has no motion head; its parameters are named as theirs are."""

    def __init__(self, config: NetworkConfig | None = None) -> None:
        """Make a network with random weights."""
        super().__init__()
        self.config = config or NetworkConfig()
        self.fnet = Encoder(self.config.features, self.config, norm=True)
        self.cnet = Encoder(self.config.hidden + self.config.context, self.config, norm=False)
        self.update = UpdateBlock(self.config)

    def features(self, images: Tensor) -> Tensor:
        """Return (N, features, H/8, W/8) float32 to correlate, of (N, 3, H, W) uint8 RGB."""
        out: Tensor = self.fnet(normalise(images)).float()
        return out

    def context(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first recurrent state (N, hidden, H/8, W/8) in -1..1, and the context (N, context, H/8, W/8) from 0 up."""
        state, context = self.cnet(normalise(images)).split([self.config.hidden, self.config.context], dim=1)
        return torch.tanh(state), torch.relu(context)
