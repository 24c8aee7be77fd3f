"""The tracker: keyframes are placed one after another by a small graph of edges that moves along the clip (MegaSaM, DROID-SLAM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from sfmcam.estimators.megasam import graph
from sfmcam.estimators.megasam.clip import Clip, Given
from sfmcam.estimators.megasam.distance import frame_distance
from sfmcam.estimators.megasam.neighbours import chain_edges, near_edges
from sfmcam.estimators.megasam.options import Schedule
from sfmcam.estimators.megasam.problem import BundleOptions
from sfmcam.estimators.megasam.refine import Adjustment, misfit, open_edges, rounds
from sfmcam.estimators.megasam.se3 import identity
from sfmcam.estimators.megasam.state import FIRST_ETA, Edges, Keyframes, State
from sfmcam.estimators.megasam.two_view_mask import two_view_masks
from sfmcam.estimators.megasam.two_view_start import start_from_two_views

STEADY_BACK = 4  # keyframes of the initialisation whose edges stay active
REACH_BACK = 3  # keyframes before the window whose retired edges weigh in
FRONTEND_LM, FRONTEND_EP = 1e-4, 0.1


class Tracker:
    """Places the keyframes of one window; `track` returns its state, ready for the backend."""

    def __init__(self, clip: Clip, given: Given, schedule: Schedule) -> None:
        self.clip, self.given, self.schedule = clip, given, schedule
        self.operator = clip.operator

    def track(self, indices: Sequence[int]) -> State:
        """Place the frames `indices` as keyframes; some may be dropped again where they add nothing."""
        warmup = min(len(indices), self.schedule.warmup)
        if self.schedule.two_view_start and self.given.static_mask is None:
            self._mask_movers(indices)
        state = self._empty()
        for index in indices[:warmup]:
            self._append(state, index)
        self._initialise(state)
        for index in indices[warmup:]:
            self._append(state, index)
            self._advance(state)
        return state

    def _mask_movers(self, indices: Sequence[int]) -> None:
        """Give the keyframes a static mask by what pairs of them say without any depth."""
        masks = torch.ones_like(self.given.prior_disps)
        masks[list(indices)] = two_view_masks(self.operator, self.placed(indices).keyframes)
        self.given = replace(self.given, static_mask=masks)

    def placed(self, indices: Sequence[int], *, rows: Sequence[int] | None = None) -> State:
        """Return the frames `indices` as keyframes where they were given, without any edge; `rows` are theirs in what was given."""
        state = self._empty()
        for index, row in zip(indices, indices if rows is None else rows, strict=True):
            self._append(state, index, row)
        return state

    def _empty(self) -> State:
        none = self.given.prior_disps[:0]
        poses = self.given.intrinsics.new_zeros((0, 7))
        frames = Keyframes([], [], poses, none, none, self.given.intrinsics[:0], none, none)
        return State(frames, Edges.none(none), Edges.none(none))

    def _append(self, state: State, index: int, row: int | None = None) -> None:
        """Add a frame at its given pose, or where the last one is; disparities start at the prior, or at the last one's median."""
        frames, given = state.keyframes, self.given
        at = slice(index, index + 1) if row is None else slice(row, row + 1)
        prior = given.prior_disps[at]
        level = frames.disps[-1].median() if len(frames) else prior.new_ones(())
        if given.poses is not None:
            pose = given.poses[at]
        else:
            pose = frames.poses[-1:] if len(frames) else identity(1, dtype=prior.dtype, device=prior.device)
        intrinsics = frames.intrinsics[-1:] if len(frames) and given.poses is None else given.intrinsics[at]
        mask = torch.ones_like(prior) if given.static_mask is None else given.static_mask[at]
        start = torch.where(prior > 0, prior, level)
        added = Keyframes([index], [self.clip.features(index)], pose, start, prior, intrinsics, torch.full_like(prior, FIRST_ETA), mask)
        state.keyframes = frames.join(added) if len(frames) else added

    def _initialise(self, state: State) -> None:
        """Place the first keyframes: poses alone, then with more edges, then disparities too (spec 2.4)."""
        frames, schedule = state.keyframes, self.schedule
        if len(frames) < 2:
            return
        state.active = open_edges(self.operator, frames, *chain_edges(state, schedule.init_radius))
        other = self._from_two_views(state) if schedule.two_view_start else None
        motion = Adjustment(self._options(first_pose=1, motion_only=True))
        rounds(state, self.operator, motion, count=schedule.init_updates)
        self._add_near(state, first=0, past=len(frames), nms=2, cap=schedule.max_edges * 2)
        rounds(state, self.operator, motion, count=schedule.init_updates)
        rounds(state, self.operator, Adjustment(self._options(first_pose=1)), count=schedule.init_updates)
        if other is not None and misfit(other) < misfit(state):
            state.keyframes, state.active = other.keyframes, other.active
        state.retire(state.active.ii < len(state.keyframes) - STEADY_BACK)

    def _from_two_views(self, state: State) -> State | None:
        """Return the first keyframes placed by the motion that most cells agree on between the first and the last of them.

        A flat scene, from which the published tracker starts, fits a large mover better than it fits a scene in relief.
        """
        found = start_from_two_views(state, self.operator, alpha=self.schedule.frontend_prior)
        if found is not None:
            rounds(found, self.operator, Adjustment(self._options(first_pose=1)), count=self.schedule.init_updates)
        return found

    def _advance(self, state: State) -> None:
        """Place the newest keyframe, and drop the one before it if it shows nothing new (spec 2.5)."""
        schedule, count = self.schedule, len(state.keyframes)
        self._add_near(state, first=count - 5, past=count, nms=schedule.nms, cap=schedule.max_edges)
        self._retire_old(state)
        self._follow(state, schedule.frontend_updates)
        if self._is_redundant(state, count - 2):
            state.drop_keyframe(count - 2)
        else:
            self._follow(state, schedule.extra_updates)

    def _follow(self, state: State, updates: int) -> None:
        first = max(1, int(state.active.ii.min()) + 1)
        how = Adjustment(self._options(first_pose=first), reach=first - REACH_BACK)
        rounds(state, self.operator, how, count=updates)

    def _is_redundant(self, state: State, k: int) -> bool:
        if self.schedule.keyframe_distance <= 0 or k < 2:
            return False
        frames, pair = state.keyframes, torch.tensor([k - 1, k])
        apart = frame_distance(frames.poses, frames.disps, frames.intrinsics, ii=pair, jj=pair.flip(0))
        return float(apart.mean()) < self.schedule.keyframe_distance

    def _add_near(self, state: State, *, first: int, past: int, nms: int, cap: int) -> None:
        """Open edges from the keyframes [first, past) to those near them."""
        schedule = self.schedule
        ii, jj = near_edges(
            state,
            radius=schedule.radius,
            nms=nms,
            threshold=schedule.frontend_threshold,
            cap=cap,
            rows=first,
            columns=past - schedule.frontend_window,
        )
        state.active = state.active.join(open_edges(self.operator, state.keyframes, ii, jj))

    def _retire_old(self, state: State) -> None:
        ages = state.active.age.cpu().numpy()
        oldest = graph.retired(ages, past_age=self.schedule.max_age, most=self.schedule.max_edges)
        state.retire(torch.from_numpy(oldest))

    def _options(self, *, first_pose: int, motion_only: bool = False) -> BundleOptions:
        return BundleOptions(
            first_pose=first_pose,
            motion_only=motion_only,
            lm=FRONTEND_LM,
            ep=FRONTEND_EP,
            alpha=self.schedule.frontend_prior,
            iterations=self.schedule.gauss_newton,
        )
