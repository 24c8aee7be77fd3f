"""Which cells move with the scene, told before any depth is known: those that agree with the two-view geometry of their frame and another.

An epipolar geometry asks nothing of the depths. A mover hides in pairs of frames that are near in time; in wider ones it stands out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.camera import grid
from sfmcam.estimators.megasam.operator import UpdateOperator
from sfmcam.estimators.megasam.refine import open_edges, revise
from sfmcam.estimators.megasam.state import Keyframes, copy_of_keyframes
from sfmcam.estimators.megasam.two_view import two_views

TRUSTED = 0.05  # by what the pictures say, of a cell that has a say
WIDE = 6.0  # 1/8 pixels: the mean flow of a pair that is wide enough
SPANS = (7, 5, 3, 2, 1)  # keyframes apart, the widest first
MIN_TRUSTED_SHARE = 0.25  # of the cells, that a pair must be able to follow
MIN_AGREEING_SHARE = 0.4  # of those, that a geometry must account for
LEAST = 0.02  # static probability that is left to a cell that agrees with nothing
PARTNERS = 2  # other frames that each frame is compared with


def two_view_masks(operator: UpdateOperator, frames: Keyframes) -> Tensor:
    """Return (K, h, w) in 0..1 how much each cell of each keyframe moves with the scene; 1 where nothing can be said.

    Args:
        operator: one whose first word on an edge is good, as that of optical flow is.
        frames: keyframes at the origin.
    """
    pairs = [(i, j) for i in range(len(frames)) for j in _partners(i, len(frames))]
    if not pairs:
        return torch.ones_like(frames.disps)
    ii, jj = torch.tensor(pairs).T
    seen = revise(operator, copy_of_keyframes(frames), open_edges(operator, frames, ii, jj))
    trust = (seen.weight / seen.static.clamp(min=1e-6)[..., None]).amin(dim=-1).cpu().numpy()
    return _masks(frames, pairs, seen.target.double().cpu().numpy(), trust)


def _partners(i: int, count: int) -> list[int]:
    """Return the frames that frame i is compared with: as far as there are any, before and after."""
    found: list[int] = []
    for span in SPANS:
        found += [j for j in (i - span, i + span) if 0 <= j < count and len(found) < PARTNERS]
        if len(found) >= PARTNERS:
            break
    return found[:PARTNERS]


def _masks(frames: Keyframes, pairs: Sequence[tuple[int, int]], target: np.ndarray, trust: np.ndarray) -> Tensor:
    """Return the masks from where the cells of each pair are seen (P, h, w, 2), and how much that is believed (P, h, w)."""
    centre = frames.intrinsics[0, 2:].double().cpu().numpy()
    focal = frames.intrinsics[:, 0].double().cpu().numpy()
    source = grid(*frames.disps.shape[1:], like=frames.disps).double().cpu().numpy() - centre
    masks = np.ones(frames.disps.shape)
    for (i, j), seen, believed in zip(pairs, target, trust, strict=True):
        good = believed > TRUSTED
        if good.mean() < MIN_TRUSTED_SHARE:
            continue
        found = two_views(source[good], seen[good] - centre, focal[[i, j]])
        # a pair on which hardly anything agrees tells nothing; of those that do, the strictest counts: a mover hides in some by chance
        if found is not None and found.agrees.mean() > MIN_AGREEING_SHARE:
            masks[i][good] = np.minimum(masks[i][good], found.agrees)
    return torch.from_numpy(np.maximum(masks, LEAST)).to(frames.disps)
