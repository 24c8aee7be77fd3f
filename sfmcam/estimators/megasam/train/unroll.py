"""Several updates in a row, as the tracker makes them, with their losses (DROID-SLAM, 2021, 3.3).

Before each update the belief (poses and disparities) says where every cell is to be looked for; after it the belief is revised. In the
first part of a training run it comes closer to the truth by itself, by random shares, which costs nothing and gives the network from
the first step on what it will see later: any distance from the truth. In the second part bundle adjustment revises it from the
network's own targets, weights and damping, and the losses reach these through it. No gradient goes from one update to the next but
through the recurrent state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam import se3
from sfmcam.estimators.megasam.bundle import BundleOptions, Layout, Problem, adjust, layout_of
from sfmcam.estimators.megasam.camera import Reprojection, reproject
from sfmcam.estimators.megasam.net.correlation import Volume, build_volume, look_up, pool_features
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.megasam.net.update import Update, motion_features
from sfmcam.estimators.megasam.train import losses
from sfmcam.estimators.megasam.train.config import TrainConfig
from sfmcam.estimators.megasam.train.dataset import Batch

SCALED = 2  # poses held fixed per sequence where the scale is to be the true one
FAR, CLOSE = 1e-3, 10.0  # disparities are kept between
DAMPING_SHARE, DAMPING = 1e-4, 0.1  # of the poses, the tracker's


@dataclass(frozen=True)
class Belief:
    """What is believed of a batch: poses (F, 7) and disparities (F, h, w)."""

    poses: Tensor
    disps: Tensor

    def detached(self) -> Belief:
        """Return the same without a past."""
        return Belief(self.poses.detach(), self.disps.detach())

    def seen(self, batch: Batch) -> Reprojection:
        """Return where each cell of each edge's source falls in its target."""
        return reproject(self.poses, self.disps, batch.intrinsics, ii=batch.ii, jj=batch.jj)


@dataclass(frozen=True)
class Step:
    """One update: what was said, the targets (E, h, w, 2) that follow, and the belief after it."""

    said: Update
    target: Tensor
    belief: Belief


def start(batch: Batch, rng: np.random.Generator, *, fixed: int) -> Belief:
    """Return a first belief: for half of the sequences a camera that stands where its last fixed pose is, else one near the truth; for
    half of them constant disparity, else the true one times a constant and a little noise."""
    poses = by_sequence(batch.poses, batch)
    still = poses[:, fixed - 1 : fixed].expand_as(poses)
    size = np.exp(rng.uniform(np.log(0.003), np.log(0.15), batch.sequences))
    off = torch.from_numpy(rng.normal(0, 1, (*poses.shape[:2], 6)) * size[:, None, None]).to(poses)
    near = se3.retract(poses, off)
    chosen = torch.where(_coins(batch, rng)[:, None, None], still, near)
    begun = torch.cat([poses[:, :fixed], chosen[:, fixed:]], 1)
    disps = by_sequence(batch.disps, batch)
    factor = torch.from_numpy(np.exp(rng.normal(0, 0.2, (batch.sequences, 1, 1, 1)) + rng.normal(0, 0.05, disps.shape))).to(disps)
    wild = torch.where(_coins(batch, rng)[:, None, None, None], torch.ones_like(disps), disps * factor)
    return Belief(by_time(begun), by_time(wild).clamp(FAR, CLOSE))


def plain_start(batch: Batch, *, fixed: int) -> Belief:
    """Return the belief that the tracker starts with: the camera stands still, and everything is equally far."""
    poses = by_sequence(batch.poses, batch)
    begun = torch.cat([poses[:, :fixed], poses[:, fixed - 1 : fixed].expand_as(poses)[:, fixed:]], 1)
    return Belief(by_time(begun), torch.ones_like(batch.disps))


def unroll(network: Network, batch: Batch, config: TrainConfig, *, belief: Belief, way: Way) -> list[Step]:
    """Run the updates; the network's layers in bfloat16 where the configuration says so, correlation and geometry always in float32."""
    device = batch.images.device.type
    with torch.autocast(device, torch.bfloat16, enabled=config.bf16):  # one for all updates: it keeps the weights that it has rounded
        features = network.features(batch.images)
        hidden, context = (x[batch.ii] for x in network.context(batch.images))
        with torch.autocast(device, enabled=False):
            volume = _volume(network, features.float(), batch)
        steps: list[Step] = []
        target: Tensor | None = None
        for _ in range(config.updates):
            with torch.autocast(device, enabled=False):
                belief = belief.detached()
                coords = belief.seen(batch).coords.detach()
                target = coords if target is None else target.detach()
                seen = look_up(volume, coords, network.config.radius), motion_features(coords, target)
            said = network.update(hidden, context, seen, batch.ii)
            hidden, target = said.hidden, coords + said.delta
            with torch.autocast(device, enabled=False):
                belief = way(batch, belief, said, target)
            steps.append(Step(said, target, belief))
    return steps


def _volume(network: Network, features: Tensor, batch: Batch) -> Volume:
    pyramid = pool_features(features, network.config.levels)
    return build_volume(features[batch.ii], [level[batch.jj] for level in pyramid])


class Way:
    """How the belief goes on after an update."""

    def __call__(self, batch: Batch, belief: Belief, said: Update, target: Tensor) -> Belief:
        """Return the belief after an update that put the cells at `target` (E, h, w, 2)."""
        raise NotImplementedError


class Guided(Way):
    """Closer to the truth by a share that is drawn for each sequence, and never nearer in all than another share."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        """Draw how near each sequence may come: a quarter of them not at all, the others anywhere."""
        self._rng = rng
        self._nearest = np.where(rng.random(batch.sequences) < 0.25, 0.0, rng.uniform(0, 1, batch.sequences))
        self._left = np.ones(batch.sequences)

    def __call__(self, batch: Batch, belief: Belief, said: Update, target: Tensor) -> Belief:
        """Return the belief moved along the way to the truth."""
        left = np.maximum(self._left * self._rng.uniform(0.1, 1, batch.sequences), 1 - self._nearest)
        share = torch.from_numpy(1 - left / self._left).to(batch.poses).repeat(len(batch.poses) // batch.sequences)
        self._left = left
        disps = belief.disps ** (1 - share[:, None, None]) * batch.disps.clamp(FAR, CLOSE) ** share[:, None, None]
        return Belief(se3.interpolate(belief.poses, batch.poses, share), disps)


class Adjusted(Way):
    """Bundle adjustment, the first `fixed` poses of every sequence held."""

    def __init__(self, *, fixed: int, solves: int) -> None:
        """Hold so many poses of each sequence, and make so many Gauss-Newton steps after each update; all batches have like graphs."""
        self.fixed, self.solves = fixed, solves
        self._layout: Layout | None = None
        self._size = (0, 0)

    def __call__(self, batch: Batch, belief: Belief, said: Update, target: Tensor) -> Belief:
        """Return the belief after bundle adjustment of the whole batch, whose sequences share no edge."""
        assert said.eta is not None  # every frame is a source, so rows of the damping are the frames
        problem = Problem(
            poses=belief.poses,
            disps=belief.disps,
            intrinsics=batch.intrinsics,
            target=target,
            weight=said.weight,
            eta=said.eta,
            ii=batch.ii,
            jj=batch.jj,
        )
        options = BundleOptions(
            first_pose=self.fixed * batch.sequences, iterations=self.solves, disparity_range=(FAR, CLOSE), lm=DAMPING_SHARE, ep=DAMPING
        )
        if self._layout is None or self._size != (len(batch.ii), len(batch.poses)):
            self._layout, self._size = layout_of(problem, options), (len(batch.ii), len(batch.poses))
        solved = adjust(problem, options, self._layout)
        return Belief(solved.poses, solved.disps)


def step_losses(batch: Batch, steps: list[Step], config: TrainConfig, *, adjusted: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted loss of all updates, later ones counting more, and the last update's single losses."""
    right = Belief(batch.poses, batch.disps).seen(batch)
    static = batch.static[batch.ii]
    judged = static & right.depth_ok
    total, counted, parts = torch.zeros((), device=batch.poses.device), 0.0, {}
    for number, step in enumerate(steps):
        parts = {
            "flow": losses.flow_loss(step.target, right.coords, judged),
            "weight": losses.weight_loss(step.said.raw_weight, step.target - right.coords, judged),
        }
        if step.said.static_logit is not None:
            parts["motion"] = losses.motion_loss(step.said.static_logit, static)
        if adjusted:
            seen = step.belief.seen(batch)
            parts["reprojection"] = losses.reprojection_loss(seen.coords, right.coords, judged & seen.depth_ok)
            parts["pose"] = losses.pose_loss(step.belief.poses, batch.poses, ii=batch.ii, jj=batch.jj)
        share = config.gamma ** (len(steps) - 1 - number)
        total, counted = total + share * sum(getattr(config.losses, name) * value for name, value in parts.items()), counted + share
    return total / counted, parts


def by_sequence(x: Tensor, batch: Batch) -> Tensor:
    """Return (B, S, ...) of (F, ...)."""
    return x.unflatten(0, (-1, batch.sequences)).transpose(0, 1)


def by_time(x: Tensor) -> Tensor:
    """Return (F, ...) of (B, S, ...)."""
    return x.transpose(0, 1).flatten(0, 1)


def _coins(batch: Batch, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.random(batch.sequences) < 0.5).to(batch.poses.device)
