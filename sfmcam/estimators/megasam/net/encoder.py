"""The two encoders: a picture becomes a map of features at an eighth of its size (RAFT's encoder, as in DROID-SLAM, 2021, appendix).

Every stride-2 layer pads symmetrically, so that cell u of the map is centred on picture pixel 8u.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sfmcam.estimators.megasam.net.config import NetworkConfig

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in 0..1
STD = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """Return (N, 3, H, W) uint8 RGB as float32 of ImageNet's mean and deviation."""
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - mean) / std


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the identity, or beside a strided 1x1 convolution where the size changes."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, norm: bool) -> None:
        """Make a block; `norm` puts an instance norm without parameters behind every convolution."""
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm = _norm(outputs, norm)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride), _norm(outputs, norm)) if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H / stride, W / stride); the branch is rectified before the addition too."""
        y = torch.relu(self.norm(self.conv1(x)))
        y = torch.relu(self.norm(self.conv2(y)))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Encoder(nn.Module):
    """(N, 3, H, W) normalised RGB to (N, outputs, H/8, W/8)."""

    def __init__(self, outputs: int, config: NetworkConfig, *, norm: bool) -> None:
        """Make an encoder: with instance norms for features to correlate, without for context."""
        super().__init__()
        first, second, third = config.stem, 2 * config.stem, 4 * config.stem
        self.conv1 = nn.Conv2d(3, first, 7, stride=2, padding=3)
        self.norm1 = _norm(first, norm)
        self.layer1 = _stage(first, first, stride=1, norm=norm)
        self.layer2 = _stage(first, second, stride=2, norm=norm)
        self.layer3 = _stage(second, third, stride=2, norm=norm)
        self.conv2 = nn.Conv2d(third, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map; H and W are multiples of 8."""
        x = torch.relu(self.norm1(self.conv1(x)))
        out: Tensor = self.conv2(self.layer3(self.layer2(self.layer1(x))))
        return out


def _stage(inputs: int, outputs: int, *, stride: int, norm: bool) -> nn.Sequential:
    return nn.Sequential(
        ResidualBlock(inputs, outputs, stride=stride, norm=norm),
        ResidualBlock(outputs, outputs, stride=1, norm=norm),
    )


def _norm(channels: int, wanted: bool) -> nn.Module:
    return nn.InstanceNorm2d(channels) if wanted else nn.Identity()
