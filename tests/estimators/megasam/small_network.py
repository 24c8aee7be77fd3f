"""A small network with random weights, edges of four frames, and what to ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from sfmcam.estimators.megasam.net.config import NetworkConfig
from sfmcam.estimators.megasam.net.network import Network

CPU = torch.device("cpu")
SMALL = NetworkConfig(stem=4, features=12, hidden=16, context=8, flow=6, levels=3, radius=2)
HEIGHT, WIDTH = 9, 11


def small_network(config: NetworkConfig = SMALL, *, seed: int = 0) -> Network:
    """Return a network whose random weights are large enough that every layer matters."""
    torch.manual_seed(seed)
    network = Network(config)
    for name, parameter in network.named_parameters():
        if name.startswith("update"):
            torch.nn.init.normal_(parameter, std=0.1)
    return network.requires_grad_(False).eval()


@dataclass(frozen=True)
class Asked:
    """Edges of four frames: unsorted, sources repeated; coordinates partly outside."""

    images: Any
    ii: Any
    jj: Any
    coords: Any
    target: Any


def asked(*, height: int = HEIGHT, width: int = WIDTH) -> Asked:
    """Return edges between pictures of 8 * height times 8 * width."""
    random = torch.Generator().manual_seed(1)
    ii, jj = torch.tensor([2, 0, 1, 1, 0, 3, 1]), torch.tensor([1, 1, 0, 2, 3, 0, 3])
    images = torch.randint(0, 256, (4, 3, 8 * height, 8 * width), generator=random, dtype=torch.uint8)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    coords = torch.stack([x, y], dim=-1) + 3 * torch.randn(len(ii), height, width, 2, generator=random)
    return Asked(images, ii, jj, coords, coords + torch.randn(coords.shape, generator=random))
