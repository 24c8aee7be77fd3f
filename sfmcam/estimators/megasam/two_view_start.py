"""The first keyframes placed by two-view geometry: the first depths from the widest pair, the poses between from those depths."""

from __future__ import annotations

import torch
from torch import Tensor

from sfmcam.estimators.megasam import se3
from sfmcam.estimators.megasam.camera import grid
from sfmcam.estimators.megasam.operator import UpdateOperator
from sfmcam.estimators.megasam.problem import BundleOptions
from sfmcam.estimators.megasam.refine import Adjustment, open_edges, revise, rounds
from sfmcam.estimators.megasam.state import Edges, Keyframes, State, copy_of, copy_of_keyframes
from sfmcam.estimators.megasam.two_view import TwoViews, two_views

HELD = 1e6  # damping that holds poses while depths come to theirs
LM, EP = 1e-4, 1e-3
SETTLE, PLACE = 4, 6  # rounds of depths alone, and of poses alone
AGREED = 0.5  # of a cell that counts as agreeing
TRUSTED = 0.05  # by what the pictures say, of a cell that has a say


def start_from_two_views(state: State, operator: UpdateOperator, *, alpha: float) -> State | None:
    """Return a copy of the state with all keyframes placed; None where no two-view geometry was found.

    Args:
        state: keyframes at the origin with the edges between them.
        operator: one whose first word on an edge is good, as that of optical flow is.
        alpha: weight of the depth prior.
    """
    found = copy_of(state)
    frames, last = found.keyframes, len(found.keyframes) - 1
    pair = _edges(operator, frames, [0, last], [last, 0])
    geometry, agrees = _geometry(frames, revise(operator, copy_of_keyframes(frames), pair))
    if geometry is None:
        return None
    mask = frames.static_mask
    frames.static_mask = torch.cat([mask[:1] * agrees, mask[1:]])
    pose = se3.from_matrix(torch.from_numpy(geometry.second_from_first)[None]).to(frames.poses)
    share = torch.linspace(0, 1, len(frames), dtype=pose.dtype, device=pose.device)
    frames.poses = se3.interpolate(frames.poses[:1].expand(len(frames), 7), pose.expand(len(frames), 7), share)
    held = Adjustment(BundleOptions(ep=HELD, lm=LM, alpha=alpha, iterations=2))
    rounds(State(frames, pair, Edges.none(frames.disps)), operator, held, count=SETTLE)
    _in_depths(frames, frames.disps[0][agrees > AGREED].median())
    fan = State(frames, _edges(operator, frames, [0] * last, list(range(1, last + 1))), Edges.none(frames.disps))
    rounds(fan, operator, Adjustment(BundleOptions(motion_only=True, ep=EP, lm=LM, iterations=2)), count=PLACE)
    frames.static_mask = mask
    rounds(found, operator, held, count=SETTLE)
    return found


def _edges(operator: UpdateOperator, frames: Keyframes, ii: list[int], jj: list[int]) -> Edges:
    return open_edges(operator, frames, torch.tensor(ii), torch.tensor(jj))


def _geometry(frames: Keyframes, pair: Edges) -> tuple[TwoViews | None, Tensor]:
    """Return the motion from the first to the last keyframe, and (h, w) how well each cell of the first agrees with it."""
    centre = frames.intrinsics[0, 2:].double()
    trusted = (pair.weight / pair.static.clamp(min=1e-6)[..., None]).amin(dim=-1)[0] > TRUSTED
    source = grid(*frames.disps.shape[1:], like=frames.disps).double() - centre
    target = pair.target[0].double() - centre
    focal = frames.intrinsics[[0, len(frames) - 1], 0].double()
    found = two_views(source[trusted].cpu().numpy(), target[trusted].cpu().numpy(), focal.cpu().numpy())
    agrees = torch.zeros_like(frames.disps[0])
    if found is not None and found.agrees.max() > AGREED:
        agrees[trusted] = torch.from_numpy(found.agrees).to(agrees)
        return found, agrees
    return None, agrees


def _in_depths(frames: Keyframes, level: Tensor) -> None:
    """Make `level` the unit of disparity."""
    frames.poses = torch.cat([frames.poses[:, :3] * level, frames.poses[:, 3:]], 1)
    frames.disps = frames.disps / level
