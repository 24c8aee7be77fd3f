"""Fit a camera that only turns and zooms to matches between many frames: robust, all frames at once.

The model of a match is x_j ~ K_j R_j R_i^T K_i^-1 x_i with K = diag(f, f, 1) about the principal point, the homography of a turning and
zooming camera (Hartley and Zisserman 2004, sec. 8.4 and 13.3). Levenberg-Marquardt on Geman-McClure weights whose scale shrinks in
steps (graduated non-convexity: Blake and Zisserman 1987; Yang et al. 2020), so that no start value is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Bool, Float, Int

SCALES_PX = (20.0, 8.0, 3.0, 1.5, 1.0)  # robust scales, in units of `unit_px`
STEPS_PER_SCALE = 6
NOISE_PX = 0.5  # of a match, in units of `unit_px`; sets the balance with the priors
PER_FRAME = 4  # parameters: three of rotation, one of log focal
ROTATION_LINK = 1e-2  # precision, per rad^2, of a step between neighbours: keeps the system regular where a frame has no matches


@dataclass(frozen=True)
class Matches:
    """Matches of all frame pairs of a clip, one row each; rows of one pair stand together.

    Attributes:
        frame_i, frame_j: (M,) frame numbers, i < j.
        xy_i_px, xy_j_px: (M, 2) positions relative to the principal point.
    """

    frame_i: Int
    frame_j: Int
    xy_i_px: Float
    xy_j_px: Float

    def __len__(self) -> int:
        return len(self.frame_i)

    def linked_frames(self, num_frames: int) -> Bool:
        """Return (N,) True for the largest set of frames that matches tie together."""
        links = coo_array((np.ones(len(self)), (self.frame_i, self.frame_j)), shape=(num_frames, num_frames))
        _, component = connected_components(links, directed=False)
        linked: Bool = component == np.argmax(np.bincount(component))
        return linked

    @property
    def displacement_px(self) -> Float:
        """(M,) distance between the two ends of each match."""
        return _length(self.xy_j_px - self.xy_i_px)


@dataclass(frozen=True)
class RotationFit:
    """A fitted turning camera.

    Attributes:
        cam_from_world: (N, 3, 3) rotations; the first frame is the identity.
        focal_px: (N,).
        residual_px: (M,) distance of each match from the model.
        covariance: (N, 4, 4) of each frame's [rotation vector, log focal] against the first frame's.
    """

    cam_from_world: Float
    focal_px: Float
    residual_px: Float
    covariance: Float


@dataclass(frozen=True)
class FocalPrior:
    """What is known of the focal length before looking.

    Attributes:
        focal_px: median of the common focal length.
        log_sigma: of the common focal length.
        step_log_sigma: of its change between neighbouring frames; 0 means one focal length for the clip.
    """

    focal_px: float
    log_sigma: float = 0.2
    step_log_sigma: float = 0.1


def fit_rotation(matches: Matches, *, num_frames: int, prior: FocalPrior, unit_px: float = 1.0) -> RotationFit:
    """Fit a rotation and a focal length per frame to `matches`.

    Args:
        matches: any number of rows; the pose of a frame without matches means nothing (`Matches.linked_frames` tells which).
        num_frames: N.
        prior: of the focal length.
        unit_px: size of a 'pixel of a picture 512 px long', in pixels: the robust scales are in this unit.
    """
    fitter = _Fitter(matches, num_frames, prior, unit_px)
    state = _State(np.tile(np.eye(3), (num_frames, 1, 1)), np.zeros(num_frames), 0.0)
    for scale in SCALES_PX:
        state = fitter.descend(state, scale * unit_px)
    residual, normal, _ = fitter.normal_equations(state, SCALES_PX[-1] * unit_px)
    inverse = np.linalg.inv(normal)[:-1, :-1].reshape(num_frames, PER_FRAME, num_frames, PER_FRAME)
    covariance = np.asarray(inverse[np.arange(num_frames), :, np.arange(num_frames)], np.float64)
    return RotationFit(state.rotations, fitter.focal_px(state), _length(residual), covariance)


@dataclass(frozen=True)
class _State:
    rotations: Float
    log_focal: Float
    log_common: float

    def moved(self, step: Float) -> _State:
        per_frame = step[:-1].reshape(-1, PER_FRAME)
        return _State(rotation_from_vector(per_frame[:, :3]) @ self.rotations, self.log_focal + per_frame[:, 3], self.log_common + step[-1])


class _Fitter:
    """Robust cost and normal equations over the match list."""

    def __init__(self, matches: Matches, num_frames: int, prior: FocalPrior, unit_px: float) -> None:
        self.matches, self.num_frames, self.prior = matches, num_frames, prior
        self.precision = 1.0 / (NOISE_PX * unit_px) ** 2
        changed = (np.diff(matches.frame_i) != 0) | (np.diff(matches.frame_j) != 0)
        self.pair_start = np.flatnonzero(np.concatenate([[True], changed])) if len(matches) else np.zeros(0, np.int64)
        self.pair_i, self.pair_j = matches.frame_i[self.pair_start], matches.frame_j[self.pair_start]
        self.prior_normal = self._prior_normal()

    def focal_px(self, state: _State) -> Float:
        """Return (N,) focal lengths."""
        return self.prior.focal_px * np.exp(state.log_common + state.log_focal)

    def descend(self, state: _State, scale_px: float) -> _State:
        """Run Levenberg-Marquardt at one robust scale."""
        damping, cost = 1e-4, self.cost(state, scale_px)
        for _ in range(STEPS_PER_SCALE):
            _, normal, gradient = self.normal_equations(state, scale_px)
            step = -np.linalg.solve(normal + damping * np.diag(normal.diagonal()), gradient)
            trial = state.moved(np.clip(step, -0.3, 0.3))
            trial_cost = self.cost(trial, scale_px)
            if trial_cost < cost:
                finished = cost - trial_cost < 1e-5 * cost
                state, cost, damping = trial, trial_cost, damping * 0.1
                if finished:
                    break
            else:
                damping *= 30.0
        return state

    def cost(self, state: _State, scale_px: float) -> float:
        """Return the Geman-McClure cost plus the priors."""
        square = (self._residual(state)[0] ** 2).sum(1) / scale_px**2
        parameters = self._parameters(state)
        data = 0.5 * self.precision * scale_px**2 * (square / (1.0 + square)).sum()
        return float(data + 0.5 * parameters @ self.prior_normal @ parameters)

    def normal_equations(self, state: _State, scale_px: float) -> tuple[Float, Float, Float]:
        """Return residuals (M, 2), the normal matrix (4N + 1, 4N + 1) and the gradient (4N + 1,)."""
        residual, jac_i, jac_j = self._linearise(state)
        weight = self.precision / (1.0 + (residual**2).sum(1) / scale_px**2) ** 2
        jacobian = np.concatenate([jac_i, jac_j, (jac_i + jac_j)[:, :, 3:], residual[:, :, None]], axis=2)  # (M, 2, 10)
        products = np.einsum("mra,mrb->mab", jacobian * weight[:, None, None], jacobian, optimize=True)
        return residual, *self._assemble(np.add.reduceat(products, self.pair_start, axis=0) if len(weight) else products, state)

    def _assemble(self, pairs: Float, state: _State) -> tuple[Float, Float]:
        n, size = self.num_frames, PER_FRAME * self.num_frames + 1
        columns = np.concatenate(
            [self.pair_i[:, None] * PER_FRAME + np.arange(PER_FRAME), self.pair_j[:, None] * PER_FRAME + np.arange(PER_FRAME)], axis=1
        )
        columns = np.concatenate([columns, np.full((len(columns), 1), PER_FRAME * n)], axis=1)
        normal, gradient = np.zeros((size, size)), np.zeros(size)
        np.add.at(normal, (columns[:, :, None], columns[:, None, :]), pairs[:, :9, :9])
        np.add.at(gradient, columns, pairs[:, :9, 9])
        return normal + self.prior_normal, gradient + self.prior_normal @ self._parameters(state)

    def _residual(self, state: _State) -> tuple[Float, Float, Float, Float]:
        m, focal = self.matches, self.focal_px(state)
        ray_i = np.concatenate([m.xy_i_px / focal[m.frame_i][:, None], np.ones((len(m), 1))], axis=1)
        j_from_i = state.rotations[m.frame_j] @ state.rotations[m.frame_i].transpose(0, 2, 1)
        ray_j = (j_from_i @ ray_i[:, :, None])[:, :, 0]
        ray_j[:, 2] = np.maximum(ray_j[:, 2], 0.05)  # beside or behind the camera is a wrong match: kept finite, then ignored by its weight
        return focal[m.frame_j][:, None] * ray_j[:, :2] / ray_j[:, 2:] - m.xy_j_px, ray_i, ray_j, j_from_i

    def _linearise(self, state: _State) -> tuple[Float, Float, Float]:
        """Return residuals (M, 2) and Jacobians (M, 2, 4) by the parameters of frames i and j."""
        residual, ray_i, ray_j, j_from_i = self._residual(state)
        predicted = residual + self.matches.xy_j_px
        scale = self.focal_px(state)[self.matches.frame_j] / ray_j[:, 2]
        to_pixel = np.zeros((len(residual), 2, 3))
        to_pixel[:, 0, 0] = to_pixel[:, 1, 1] = scale
        to_pixel[:, :, 2] = -predicted / ray_j[:, 2:]
        by_focal_i = np.concatenate([-ray_i[:, :2], np.zeros((len(ray_i), 1))], axis=1)[:, :, None]
        jac_i = to_pixel @ (j_from_i @ np.concatenate([-_turn(ray_i), by_focal_i], axis=2))
        jac_j = np.concatenate([to_pixel @ _turn(ray_j), predicted[:, :, None]], axis=2)
        return residual, jac_i, jac_j

    def _parameters(self, state: _State) -> Float:
        """Return the parameters that have a prior value; rotations are linked relative to where they are, hence zero."""
        out = np.zeros(PER_FRAME * self.num_frames + 1)
        out[3:-1:PER_FRAME], out[-1] = state.log_focal, state.log_common
        return out

    def _prior_normal(self) -> Float:
        """Return the precision of the priors: gauge at frame 0, links between neighbours, focal length."""
        n = self.num_frames
        step = np.diff(np.eye(n), axis=0)
        links = step.T @ step
        out = np.zeros((PER_FRAME * n + 1, PER_FRAME * n + 1))
        for axis in range(3):
            out[axis:-1:PER_FRAME, axis:-1:PER_FRAME] = links * ROTATION_LINK
        out[3:-1:PER_FRAME, 3:-1:PER_FRAME] = links / max(self.prior.step_log_sigma, 1e-6) ** 2
        out[np.arange(PER_FRAME), np.arange(PER_FRAME)] += 1e12
        out[-1, -1] = 1.0 / self.prior.log_sigma**2
        return out


def _length(vectors: Float) -> Float:
    out: Float = np.sqrt((vectors**2).sum(1))
    return out


def _turn(vectors: Float) -> Float:
    """Return (M, 3, 3), the derivative of exp([w]x) v by w at w = 0, which is -[v]x."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    out = np.zeros((len(vectors), 3, 3))
    out[:, 0, 1], out[:, 0, 2], out[:, 1, 2] = z, -y, x
    out[:, 1, 0], out[:, 2, 0], out[:, 2, 1] = -z, y, -x
    return out
