"""The classical update operator: dense optical flow says where cells are seen, and robust statistics how much to believe it.

Flow is OpenCV's DIS (Kroeger et al., ECCV 2016), forward and backward. It is looked at once per pair of frames; what changes
from one revision to the next is only how much each cell is believed, by how well it fits the rigid scene (iteratively
reweighted least squares with Geman and McClure's function), so that movers lose their weight.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sfmcam.estimators.megasam.operator import STRIDE, Revision, Sight
from sfmcam.types import UInt8

Float32 = NDArray[np.float32]
MAX_PAIRS = 6000  # whose flow is kept: 1728 cells take 28 kB
CELL_OFFSETS = (-3, 0, 3)  # samples of a cell about its centre, in pixels, along each axis
CONSISTENT_PX, CONSISTENT_SHARE = 0.7, 0.03  # forward-backward error that halves the weight: constant part, share of the flow
GRADIENT = 4.0  # grey levels per pixel at which a cell's position is believed by half
MEDIAN_OVER_QUARTILE = 1.55  # of the length of a normal error in the plane (Rayleigh's law)
TRUSTED = 0.05  # by what the pictures say, of a cell that has a say
WINDOW_SIGMA_PX = 4.0  # over which a cell's texture is gathered


@dataclass(frozen=True)
class DenseFlowOptions:
    """Settings of the classical operator.

    Attributes:
        quality: DIS preset; `fast` takes a fifth of the time of `medium`, with twice the error.
        noise: smallest scale of the residuals, in 1/8 pixels.
        scale: at so many times the usual residual a cell loses three quarters of its weight.
        patience: the scale of a new edge is larger by so many times itself, since the depths are not known yet and a mover may fit
            a flat scene better than the scene does (graduated non-convexity).
        patience_kept: share of it that is left after each revision.
        eta: damping of the disparities.
    """

    quality: str = "medium"
    noise: float = 0.06
    scale: float = 3.0
    patience: float = 1.0
    patience_kept: float = 0.8
    eta: float = 1e-5


@dataclass(frozen=True)
class DenseFeatures:
    """A picture as the operator wants it.

    Attributes:
        gray: (H, W) luma.
        index: frame of the clip.
        sharpness: (h, w, 2) in 0..1 how surely texture fixes the position of a cell along x and along y.
    """

    gray: UInt8
    index: int
    sharpness: Float32


@dataclass(frozen=True)
class DenseEdges:
    """Flow of E edges: `flow` (E, h, w, 2) in 1/8 pixels, `trust` (E, h, w, 2) in 0..1 by what the pictures alone say, and how often each
    was revised, `rounds` (E,).
    """

    flow: Tensor
    trust: Tensor
    rounds: Tensor

    def __len__(self) -> int:
        return len(self.flow)

    def select(self, mask: Tensor) -> Self:
        """See `operator.EdgeState`."""
        return type(self)(self.flow[mask], self.trust[mask], self.rounds[mask])

    def join(self, other: Self) -> Self:
        """See `operator.EdgeState`."""
        return type(self)(*(torch.cat(parts) for parts in zip(self._parts, other._parts, strict=True)))

    @property
    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.flow, self.trust, self.rounds


@dataclass
class DenseFlowOperator:
    """Looks at pairs of frames by dense optical flow; see `operator.UpdateOperator`.

    Flow between two frames is kept by their numbers, so that one operator serves one clip.
    """

    options: DenseFlowOptions = field(default_factory=DenseFlowOptions)
    _kept: OrderedDict[tuple[int, int], tuple[Float32, Float32]] = field(default_factory=OrderedDict, repr=False)

    def __post_init__(self) -> None:
        presets = {"fast": cv2.DISOPTICAL_FLOW_PRESET_FAST, "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}
        self._careful = cv2.DISOpticalFlow.create(presets[self.options.quality])
        self._quick = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def encode(self, image: Tensor, index: int) -> DenseFeatures:
        """See `operator.UpdateOperator`."""
        gray = cv2.cvtColor(np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy()), cv2.COLOR_RGB2GRAY)
        return DenseFeatures(np.asarray(gray, np.uint8), index, cell_sharpness(np.asarray(gray, np.uint8)))

    def flow(self, a: DenseFeatures, b: DenseFeatures) -> Tensor:
        """See `operator.UpdateOperator`. Cells without texture have no say: they get the mean of those that have."""
        found = cell_flow(_dense(self._quick, a, b)) / STRIDE
        trust = a.sharpness.min(axis=2, keepdims=True) + 1e-3
        mean = (found * trust).sum(axis=(0, 1)) / trust.sum()
        return torch.from_numpy(np.asarray(mean + (found - mean) * np.minimum(2 * trust, 1.0), np.float32))

    def open(self, sources: Sequence[DenseFeatures], targets: Sequence[DenseFeatures]) -> DenseEdges:
        """See `operator.UpdateOperator`."""
        seen = [self._look(a, b) for a, b in zip(sources, targets, strict=True)]
        flow, trust = (torch.from_numpy(np.stack(parts)) for parts in zip(*seen, strict=True))
        return DenseEdges(flow, trust, torch.zeros(len(flow)))

    def revise(self, edges: DenseEdges, sight: Sight) -> tuple[DenseEdges, Revision]:
        """See `operator.UpdateOperator`. The targets stay; the belief in them follows the residuals."""
        height, width = edges.flow.shape[1:3]
        flow = edges.flow.to(sight.coords)
        trust = edges.trust.to(sight.coords)
        target = cell_centres(height, width).to(sight.coords) + flow
        off = torch.linalg.vector_norm(target - sight.coords, dim=-1)
        patience = 1 + self.options.patience * torch.pow(torch.full_like(edges.rounds, self.options.patience_kept), edges.rounds)
        scale = residual_scale(off, trust.amin(dim=-1), self.options) * patience.to(off)[:, None, None]
        static = static_probability(off, scale, sight.ii)
        eta = torch.full((len(torch.unique(sight.ii)), height, width), self.options.eta, dtype=flow.dtype, device=flow.device)
        revised = DenseEdges(edges.flow, edges.trust, edges.rounds + 1)
        return revised, Revision(target, trust * static[..., None], static, eta)

    def _look(self, a: DenseFeatures, b: DenseFeatures) -> tuple[Float32, Float32]:
        """Return flow (h, w, 2) in 1/8 pixels and trust (h, w, 2) from `a` to `b`, and keep those of the way back."""
        key = (a.index, b.index)
        if key not in self._kept:
            there, back = _dense(self._careful, a, b), _dense(self._careful, b, a)
            self._keep(key, seen_cells(there, back, a.sharpness))
            self._keep(key[::-1], seen_cells(back, there, b.sharpness))
        return self._kept[key]

    def _keep(self, key: tuple[int, int], seen: tuple[Float32, Float32]) -> None:
        self._kept[key] = seen
        while len(self._kept) > MAX_PAIRS:
            self._kept.popitem(last=False)


def _dense(method: cv2.DISOpticalFlow, a: DenseFeatures, b: DenseFeatures) -> Float32:
    """Return the flow (H, W, 2) from picture `a` to picture `b`, in pixels."""
    start = np.zeros((*a.gray.shape, 2), np.float32)
    return np.asarray(method.calc(a.gray, b.gray, start), np.float32)


def cell_centres(height: int, width: int) -> Tensor:
    """Return (h, w, 2) integer grid coordinates (x, y)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y], dim=-1)


def residual_scale(off: Tensor, trust: Tensor, options: DenseFlowOptions) -> Tensor:
    """Return (E, 1, 1) the residual, in 1/8 pixels, at which a cell of each edge keeps a quarter of its weight.

    It follows the lower quartile of the trusted cells, since movers and mistakes may be nearly half of them: that of the edge, but not
    beyond three times that of all edges, so that an edge on which everything moves does not set its own standard.

    Args:
        off: (E, h, w) residuals in 1/8 pixels.
        trust: (E, h, w) by what the pictures say.
        options: smallest scale and multiple of the spread.
    """
    seen = torch.where(trust > TRUSTED, off, off.new_tensor(float("nan"))).flatten(1)
    of_edge = MEDIAN_OVER_QUARTILE * torch.nan_to_num(torch.nanquantile(seen, 0.25, dim=1), nan=0.0)
    of_all = torch.nan_to_num(torch.nanmedian(of_edge), nan=0.0)
    middle = torch.minimum(of_edge, 3 * of_all)
    return (options.scale * torch.hypot(middle, torch.full_like(middle, options.noise)))[:, None, None]


def static_probability(off: Tensor, scale: Tensor, ii: Tensor) -> Tensor:
    """Return (E, h, w) how likely each cell is part of the rigid scene: by its own residual, and by those of its frame's other edges.

    A mover is one in every edge, though its own motion may happen to follow the camera in some.
    """
    fits = 1.0 / (1.0 + (off / scale) ** 2) ** 2
    frames, group = torch.unique(ii.to(off.device), return_inverse=True)
    total = fits.new_zeros((len(frames), *fits.shape[1:])).index_add_(0, group, fits)
    count = fits.new_zeros(len(frames)).index_add_(0, group, torch.ones_like(group, dtype=fits.dtype))
    return fits * (total / count[:, None, None])[group]


def cell_flow(flow: NDArray[np.float32]) -> Float32:
    """Return (h, w, 2) the median flow of the samples of each cell of a dense flow (H, W, 2), in pixels."""
    height, width = flow.shape[0] // STRIDE, flow.shape[1] // STRIDE
    samples = [
        flow[np.clip(np.arange(height) * STRIDE + dy, 0, None)[:, None], np.clip(np.arange(width) * STRIDE + dx, 0, None)[None]]
        for dy in CELL_OFFSETS
        for dx in CELL_OFFSETS
    ]
    return np.asarray(np.median(np.stack(samples), axis=0), np.float32)


def seen_cells(there: NDArray[np.float32], back: NDArray[np.float32], sharpness: Float32) -> tuple[Float32, Float32]:
    """Return flow (h, w, 2) in 1/8 pixels and trust (h, w, 2) of a pair from dense flow (H, W, 2) both ways, in pixels."""
    height, width = there.shape[:2]
    flow = cell_flow(there)
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32) * STRIDE
    at_x, at_y = x + flow[..., 0], y + flow[..., 1]
    returned = cv2.remap(back, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    off = np.linalg.norm(flow + returned, axis=2)
    allowed = CONSISTENT_PX + CONSISTENT_SHARE * np.linalg.norm(flow, axis=2)
    inside = (at_x >= 0) & (at_x <= width - 1) & (at_y >= 0) & (at_y <= height - 1)
    consistent = np.where(inside, 1.0 / (1.0 + (off / allowed) ** 2) ** 2, 0.0)
    return flow / np.float32(STRIDE), np.asarray(sharpness * consistent[..., None], np.float32)


def cell_sharpness(gray: UInt8) -> Float32:
    """Return (h, w, 2) in 0..1 how surely texture fixes a cell along x and along y.

    The variance of a position is proportional to the diagonal of the inverse structure tensor (Lucas and Kanade 1981): along a
    lone edge it is large both ways unless the edge is upright or level (aperture).
    """
    picture = gray.astype(np.float32)
    gx, gy = cv2.Scharr(picture, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(picture, cv2.CV_32F, 0, 1, scale=1 / 32)
    xx, xy, yy = (cv2.GaussianBlur(g, (0, 0), WINDOW_SIGMA_PX)[::STRIDE, ::STRIDE] for g in (gx * gx, gx * gy, gy * gy))
    height, width = gray.shape[0] // STRIDE, gray.shape[1] // STRIDE
    xx, xy, yy = (m[:height, :width] for m in (xx, xy, yy))
    least = np.float32(0.02 * GRADIENT**2)
    det = (xx + least) * (yy + least) - xy * xy
    information = np.stack([det / (yy + least), det / (xx + least)], axis=-1)
    return np.asarray(information / (information + GRADIENT**2), np.float32)
