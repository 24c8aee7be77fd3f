"""What a network is worth on held-out sequences, started as the tracker starts, with bundle adjustment after each update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam import se3
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.megasam.operator import STRIDE
from sfmcam.estimators.megasam.train import unroll as run
from sfmcam.estimators.megasam.train.config import TrainConfig
from sfmcam.estimators.megasam.train.dataset import Batch
from sfmcam.estimators.megasam.train.losses import in_sight

BELIEVED = 0.25  # the share of the cells with the largest weights


@dataclass(frozen=True)
class Verdict:
    """Figures of one validation. Flow errors are of static cells that stay in the picture, after the last update, in picture pixels.

    Attributes:
        epe_px: mean.
        median_px: median.
        still_px: what an operator would get that says nothing moves (mean).
        believed_px: mean over the quarter of the cells with the largest weights.
        rank: Spearman's correlation of weight and closeness (1: the larger the weight, the smaller the error).
        mover_ap: average precision of movers by one minus the static probability; NaN where there are none.
        mover_share: what a guess would get.
        rotation_deg: median error of the rotation from each frame to the next, after bundle adjustment.
        direction_deg: the same of the direction of translation, of steps longer than 0.01 scene depths.
    """

    epe_px: float
    median_px: float
    still_px: float
    believed_px: float
    rank: float
    mover_ap: float
    mover_share: float
    rotation_deg: float
    direction_deg: float


@torch.no_grad()
def validate(network: Network, batches: list[Batch], config: TrainConfig) -> Verdict:
    """Return the figures over all batches."""
    errors, still, weights, moving, movers, turns, ways = ([] for _ in range(7))
    for batch in batches:
        way = run.Adjusted(fixed=1, solves=config.solves)
        last = run.unroll(network, batch, config, belief=run.plain_start(batch, fixed=1), way=way)[-1]
        right = run.Belief(batch.poses, batch.disps).seen(batch)
        static = batch.static[batch.ii]
        judged = static & right.depth_ok & in_sight(right.coords)
        nowhere = _grid_like(right.coords)
        errors.append(STRIDE * (last.target - right.coords).norm(dim=-1)[judged])
        still.append(STRIDE * (nowhere - right.coords).norm(dim=-1)[judged])
        weights.append(last.said.raw_weight.mean(-1)[judged])
        moving.append(1 - last.said.static_probability.flatten())
        movers.append(~static.flatten())
        rotation, direction = _pose_errors(batch, last.belief.poses)
        turns.append(rotation)
        ways.append(direction)
    joined = [torch.cat(part).float().cpu().numpy() for part in (errors, still, weights, moving, turns, ways)]
    return _verdict(*joined, movers=torch.cat(movers).cpu().numpy())


def _verdict(
    error: np.ndarray, still: np.ndarray, weight: np.ndarray, moving: np.ndarray, turn: np.ndarray, way: np.ndarray, *, movers: np.ndarray
) -> Verdict:
    order = np.argsort(-weight)
    return Verdict(
        epe_px=float(error.mean()),
        median_px=float(np.median(error)),
        still_px=float(still.mean()),
        believed_px=float(error[order[: max(1, int(BELIEVED * len(order)))]].mean()),
        rank=float(-np.corrcoef(_ranks(weight), _ranks(error))[0, 1]),
        mover_ap=area_under_precision(movers, moving),
        mover_share=float(movers.mean()),
        rotation_deg=float(np.degrees(np.median(turn))),
        direction_deg=float(np.degrees(np.median(way))) if len(way) else float("nan"),
    )


def area_under_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return average precision, the mean precision at each positive by falling score; NaN without a positive."""
    hits = labels[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()) if hits.any() else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    ranks = np.empty(len(values))
    ranks[np.argsort(values)] = np.arange(len(values))
    return ranks


def _grid_like(coords: Tensor) -> Tensor:
    y, x = torch.meshgrid(*(torch.arange(n, device=coords.device, dtype=coords.dtype) for n in coords.shape[1:3]), indexing="ij")
    return torch.stack([x, y], -1).expand_as(coords)


def _pose_errors(batch: Batch, poses: Tensor) -> tuple[Tensor, Tensor]:
    """Return the angles in radians between found and true rotations, and directions of translation, from each frame to the next."""
    later, earlier = slice(batch.sequences, None), slice(None, -batch.sequences)
    found = se3.compose(poses[later], se3.inverse(poses[earlier]))
    right = se3.compose(batch.poses[later], se3.inverse(batch.poses[earlier]))
    turn = se3.log(se3.compose(found, se3.inverse(right)))[:, 3:].norm(dim=-1)
    moved = right[:, :3].norm(dim=-1) > 0.01
    cosine = torch.nn.functional.cosine_similarity(found[moved, :3], right[moved, :3], dim=-1)
    return turn, torch.arccos(cosine.clamp(-1, 1))
