"""A pose for every frame between the keyframes: interpolated, then moved to where the keyframes' cells are seen (spec 2.7)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera, se3
from sfmcam.estimators.megasam.clip import Clip
from sfmcam.estimators.megasam.options import Schedule
from sfmcam.estimators.megasam.problem import BundleOptions
from sfmcam.estimators.megasam.refine import Adjustment, open_edges, rounds
from sfmcam.estimators.megasam.state import Edges, Keyframes, State

LM, EP = 1e-4, 1e-6
HELD = 1e6  # damping that holds poses
TRUSTED = 0.05  # weight of a cell that says something


@dataclass(frozen=True)
class Filled:
    """Cameras of the frames [first keyframe, last keyframe] of a window.

    Attributes:
        index: frames of the clip, ascending.
        poses: (N, 7) cam_from_world.
        intrinsics: (N, 4).
        residual: (N,) median distance between where cells are seen and where they should be, in 1/8 pixels; NaN where none is trusted.
        trusted: (N,) share of cells that say something.
    """

    index: list[int]
    poses: Tensor
    intrinsics: Tensor
    residual: Tensor
    trusted: Tensor


def fill(state: State, clip: Clip, schedule: Schedule, *, held: bool = False) -> Filled:
    """Return cameras of all frames between the first and the last keyframe; keyframes keep theirs, but are judged alike.

    Args:
        state: the keyframes.
        clip: of all frames.
        schedule: how much work is done.
        held: frames stay where the interpolation puts them, as those of a camera that rests do.
    """
    frames = state.keyframes
    wanted = list(range(frames.index[0], frames.index[-1] + 1))
    parts = [
        _filled(frames, clip, wanted[k : k + schedule.fill_chunk], schedule, HELD if held else EP)
        for k in range(0, len(wanted), schedule.fill_chunk)
    ]
    poses, intrinsics, residual, trusted = (torch.cat(rows) for rows in zip(*parts, strict=True))
    at = torch.tensor([index - wanted[0] for index in frames.index], device=poses.device)
    poses, intrinsics = poses.index_copy(0, at, frames.poses), intrinsics.index_copy(0, at, frames.intrinsics)
    return Filled(wanted, poses, intrinsics, residual, trusted)


def _filled(frames: Keyframes, clip: Clip, wanted: list[int], schedule: Schedule, damping: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return poses, intrinsics, residual and share of trusted cells of some frames."""
    keys, times = torch.tensor(frames.index), clip.timestamps_s
    before = (torch.searchsorted(keys, torch.tensor(wanted), right=True) - 1).clamp(0, len(keys) - 2)
    start, end, now = times[keys[before]], times[keys[before + 1]], times[torch.tensor(wanted)]
    share = ((now - start) / (end - start)).clamp(0, 1).to(frames.poses)
    poses = se3.interpolate(frames.poses[before], frames.poses[before + 1], share)
    log_focal = torch.lerp(frames.intrinsics[before, :2].log(), frames.intrinsics[before + 1, :2].log(), share[:, None])
    intrinsics = torch.cat([log_focal.exp(), frames.intrinsics[before, 2:]], 1)
    used = sorted({*before.tolist(), *(before + 1).tolist()})
    local = {k: row for row, k in enumerate(used)}
    state = _with_frames(frames.select(used), clip, wanted, poses=poses, intrinsics=intrinsics)
    ii = torch.tensor([local[k] for b in before.tolist() for k in (b, b + 1)])
    jj = torch.arange(len(wanted)).repeat_interleave(2) + len(used)
    # a keyframe is not looked at from itself: that edge would see no motion and hold the pose where it is
    apart = torch.tensor([state.keyframes.index[i] != state.keyframes.index[j] for i, j in zip(ii.tolist(), jj.tolist(), strict=True)])
    state.active = open_edges(clip.operator, state.keyframes, ii[apart], jj[apart])
    options = BundleOptions(first_pose=len(used), motion_only=True, lm=LM, ep=damping, iterations=schedule.gauss_newton)
    rounds(state, clip.operator, Adjustment(options), count=schedule.fill_updates)
    residual, trusted = _judged(state, len(used), len(wanted))
    return state.keyframes.poses[len(used) :], intrinsics, residual, trusted


def _with_frames(used: Keyframes, clip: Clip, wanted: list[int], *, poses: Tensor, intrinsics: Tensor) -> State:
    """Return a state of keyframes followed by the frames that are to be placed, which no edge leaves."""
    empty = torch.ones((len(wanted), *used.disps.shape[1:]), dtype=used.disps.dtype, device=used.disps.device)
    added = Keyframes(wanted, [clip.features(i) for i in wanted], poses, empty, empty * 0, intrinsics, empty, empty)
    none = Edges.none(used.disps)
    return State(used.join(added), none, none)


def _judged(state: State, first: int, count: int) -> tuple[Tensor, Tensor]:
    """Return the median residual (N,) and the share of trusted cells (N,) of the frames from number `first` on."""
    frames, edges = state.keyframes, state.active
    seen = camera.reproject(frames.poses, frames.disps, frames.intrinsics, ii=edges.ii, jj=edges.jj)
    off = torch.linalg.vector_norm(edges.target - seen.coords, dim=-1).flatten(1)
    weight = edges.weight.amin(dim=-1).flatten(1)
    residual, trusted = off.new_full((count,), float("nan")), off.new_zeros(count)
    for k in range(count):
        mine = edges.jj == first + k
        good = weight[mine] > TRUSTED
        if bool(good.any()):
            residual[k] = off[mine][good].median()
            trusted[k] = good.float().mean()
    return residual, trusted
