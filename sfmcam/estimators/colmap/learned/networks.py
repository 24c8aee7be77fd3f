"""DISK and ALIKED with LightGlue, and LoFTR, as kornia has them, on pictures as they come from a video.

kornia puts the centre of the first pixel at (0, 0), COLMAP at (0.5, 0.5); LoFTR's points are in COLMAP's frame already (kornia's own
convention block says so, and subtracts the half pixel where it wants its frame).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from kornia.feature import LoFTR
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sfmcam.estimators.colmap.learned.method import Image
from sfmcam.estimators.colmap.learned.tables import LocalFeatures, PointPairs

HALF_PIXEL = 0.5
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's grey, on which LoFTR was trained
MIN_SIDE_PX = 48  # smaller pictures are padded: the deepest maps of the networks must have more than one cell to normalise over

Detector = Callable[[Tensor], tuple[Tensor, Tensor]]
LoftrFeatures = dict[str, Tensor]


class WithLightGlue:
    """Keypoints of a detector, matched by LightGlue (Lindenberger, Sarlin and Pollefeys 2023)."""

    def __init__(self, detector: Detector, matcher: nn.Module, *, device: torch.device) -> None:
        """`detector` takes a (1, 3, H, W) picture in 0..1 and gives (N, 2) points in kornia's frame and (N, D) descriptors."""
        self.detector, self.matcher, self.device = detector, matcher.to(device), device

    @torch.inference_mode()
    def encode(self, image: Image) -> LocalFeatures:
        """See `method.SparseMethod`."""
        height, width = image.shape[:2]
        xy, descriptors = self.detector(_padded(_rgb(image, self.device)))
        inside = (xy[:, 0] <= width - 1) & (xy[:, 1] <= height - 1)
        return LocalFeatures(
            (xy[inside] + HALF_PIXEL).float().cpu().numpy(), descriptors[inside].float().cpu().numpy(), size_px=(width, height)
        )

    @torch.inference_mode()
    def match(self, first: LocalFeatures, second: LocalFeatures) -> NDArray[np.uint32]:
        """See `method.SparseMethod`."""
        if not len(first.xy_px) or not len(second.xy_px):
            return np.zeros((0, 2), np.uint32)
        found = self.matcher({"image0": self._side(first), "image1": self._side(second)})
        matches: NDArray[np.uint32] = found["matches"][0].cpu().numpy().astype(np.uint32)
        return matches

    def _side(self, features: LocalFeatures) -> dict[str, Tensor]:
        return {
            "keypoints": torch.from_numpy(features.xy_px)[None].to(self.device) - HALF_PIXEL,
            "descriptors": torch.from_numpy(features.descriptors)[None].to(self.device),
            "image_size": torch.tensor([features.size_px], dtype=torch.float32, device=self.device),
        }


class Loftr:
    """LoFTR (Sun et al. 2021): points of two frames that match, without keypoints."""

    def __init__(self, network: LoFTR, *, device: torch.device) -> None:
        self.network: LoFTR = network.to(device)
        self.device = device

    @torch.inference_mode()
    def encode(self, image: Image) -> LoftrFeatures:
        """See `method.SemiDenseMethod`: the maps of the backbone, on the device."""
        features: LoftrFeatures = self.network.extract_features(_padded(_luma(image, self.device)))
        return features

    @torch.inference_mode()
    def match(self, first: LoftrFeatures, second: LoftrFeatures) -> PointPairs:
        """See `method.SemiDenseMethod`."""
        found = self.network({"features0": first, "features1": second})
        first_px, second_px, confidence = (found[key].float().cpu().numpy() for key in ("keypoints0", "keypoints1", "confidence"))
        return PointPairs(first_px, second_px, confidence)


def disk_detector(network: nn.Module, *, max_keypoints: int, device: torch.device) -> Detector:
    """DISK (Tyszkiewicz, Fua and Trulls 2020), its strongest `max_keypoints`."""
    network = network.to(device)

    def detect(picture: Tensor) -> tuple[Tensor, Tensor]:
        (found,) = network(picture, n=max_keypoints, pad_if_not_divisible=True)
        return found.keypoints, found.descriptors

    return detect


def aliked_detector(network: nn.Module, *, device: torch.device) -> Detector:
    """ALIKED-N(16) (Zhao et al. 2023); how many keypoints it gives is set when it is made."""
    network = network.to(device)

    def detect(picture: Tensor) -> tuple[Tensor, Tensor]:
        (found,) = network(picture)
        return found.keypoints, found.descriptors

    return detect


def _rgb(image: Image, device: torch.device) -> Tensor:
    """(1, 3, H, W) in 0..1; luma is repeated."""
    picture = torch.from_numpy(np.ascontiguousarray(image)).to(device).float() / 255
    return picture.expand(3, -1, -1)[None] if picture.ndim == 2 else picture.permute(2, 0, 1)[None]


def _luma(image: Image, device: torch.device) -> Tensor:
    """(1, 1, H, W) in 0..1."""
    if image.ndim == 2:
        return _rgb(image, device)[:, :1]
    return torch.einsum("nchw,c->nhw", _rgb(image, device), torch.tensor(LUMA, device=device))[:, None]


def _padded(picture: Tensor) -> Tensor:
    """Repeat the last row and column of a picture too small for the networks; points keep their coordinates."""
    right, bottom = (max(0, MIN_SIDE_PX - side) for side in (picture.shape[-1], picture.shape[-2]))
    return functional.pad(picture, (0, right, 0, bottom), mode="replicate") if right or bottom else picture
