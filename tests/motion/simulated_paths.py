"""Camera paths whose motion is known by construction: single motions, and labelled random clips with shake and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.motion.primitive import PRIMITIVES, Dof, Primitive
from sfmcam.types import CameraTrajectory, Evidence, Float, Scale

FOCAL_PX, SIZE_PX = 435.0, (512, 288)


def build(
    dofs: Float,
    *,
    fps: float = 8.0,
    depth: float | None = 2.0,
    focal: bool = True,
    evidence: Evidence | None = None,
    scale: Scale = Scale.ARBITRARY,
) -> CameraTrajectory:
    """Return a trajectory whose measured path is `dofs` (N, 7) minus its first row, seen over scene points at `depth`."""
    n = len(dofs)
    rotations = [np.eye(3)]
    for step in rotation_from_vector(np.diff(dofs[:, :3], axis=0)):
        rotations.append(rotations[-1] @ step)
    centers = (dofs[:, 3:6] - dofs[0, 3:6]) * (depth or 2.0)
    focal_px = FOCAL_PX * np.exp(dofs[:, Dof.ZOOM]) if focal else np.full(n, np.nan)
    return CameraTrajectory(
        timestamps_s=np.arange(n) / fps,
        cam_from_world=inverse(rigid_from_parts(np.stack(rotations), centers)),
        focal_px=focal_px,
        valid=np.ones(n, bool),
        median_depth=np.full(n, depth if depth else np.nan),
        scale=scale,
        image_size_px=SIZE_PX if focal else None,
        evidence=evidence or Evidence(),
    )


def ramp(n: int, *, start: float = 0.0, end: float = 1.0) -> Float:
    """Return a smooth rise (n,) from 0 to 1 that begins and ends at the given shares of the clip."""
    x = np.clip((np.linspace(0, 1, n) - start) / (end - start), 0, 1)
    return x * x * (3 - 2 * x)


def motion(amounts: dict[Dof, float], *, n: int = 25, start: float = 0.0, end: float = 1.0) -> Float:
    """Return dofs (n, 7) that rise to `amounts` (radians, scene depths, log focal)."""
    dofs = np.zeros((n, 7))
    for dof, amount in amounts.items():
        dofs[:, dof] = amount * ramp(n, start=start, end=end)
    return dofs


@dataclass(frozen=True)
class Noise:
    """What an estimator adds to a path.

    Attributes:
        translation: per frame and axis, in scene depths.
        rotation_rad: per frame and axis.
        log_focal: per frame.
        leak: standard deviation of the share of a motion that appears in the one that shifts the picture alike.
        lost: share of frames without a pose.
    """

    translation: float = 0.0
    rotation_rad: float = 0.0
    log_focal: float = 0.0
    leak: float = 0.0
    lost: float = 0.0


LARGEST = np.array([np.radians(35), np.radians(60), np.radians(50), 0.8, 0.5, 1.2, np.log(3.0)])
SMALLEST = np.array([np.radians(6), np.radians(8), np.radians(8), 0.1, 0.08, 0.15, np.log(1.15)])
ALIKE = ((Dof.PAN, Dof.RIGHT), (Dof.TILT, Dof.DOWN), (Dof.ZOOM, Dof.IN))


def random_clip(rng: np.random.Generator, noise: Noise) -> tuple[CameraTrajectory, set[str]]:
    """Return one clip and the primitives that it shows.

    One clip in ten stands still, a quarter only shakes, the rest makes one to three motions, at times one after the other
    or there and back, and half of these shake too. Movers also drift a little in everything else.
    """
    fps, n = 8.0, int(rng.integers(16, 64))
    kind = rng.choice(["static", "shaky", "moving"], p=[0.1, 0.27, 0.63])
    dofs, labels = np.zeros((n, 7)), set()
    if kind == "static":
        labels.add("static")
    if kind == "moving":
        labels = _add_motions(rng, dofs)
        dofs += rng.normal(0, 0.08, 7) * SMALLEST * np.linspace(0, 1, n)[:, None] * 3
    if kind == "shaky" or (kind == "moving" and rng.random() < 0.5):
        dofs += shake(rng, n, fps=fps) * rng.lognormal(0, 0.5)
    return _observed(rng, dofs, noise=noise, fps=fps), labels


def shake(rng: np.random.Generator, n: int, *, fps: float) -> Float:
    """Return the sway (n, 7) of a hand: red noise of about 0.7 degrees and 1 % of the depth, no zoom."""
    white = rng.normal(size=(n + 20, 7))
    red = np.zeros_like(white)
    keep = np.exp(-1.0 / (0.4 * fps))
    for i in range(1, len(white)):
        red[i] = keep * red[i - 1] + np.sqrt(1 - keep**2) * white[i]
    return red[20:] * np.array([0.012, 0.012, 0.008, 0.01, 0.01, 0.01, 0.0])


def _add_motions(rng: np.random.Generator, dofs: Float) -> set[str]:
    directed = [p for p in PRIMITIVES if p.dof is not None]
    chosen: list[Primitive] = []
    for p in rng.permutation(np.array(directed, dtype=object)):
        if all(p.dof is not c.dof for c in chosen):
            chosen.append(p)
        if len(chosen) == 3:
            break
    chosen = chosen[: int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))]
    labels = set()
    in_turn = len(chosen) > 1 and rng.random() < 0.3
    for k, p in enumerate(chosen):
        size = np.exp(rng.uniform(np.log(SMALLEST[p.dof]), np.log(LARGEST[p.dof])))
        start, end = (k / len(chosen), (k + 1) / len(chosen)) if in_turn else (rng.uniform(0, 0.3), rng.uniform(0.7, 1.0))
        dofs[:, p.dof] += p.sign * size * ramp(len(dofs), start=start, end=end)
        labels.add(p.id)
    if len(chosen) == 1 and rng.random() < 0.1 and chosen[0].opposite is not None:
        dofs[len(dofs) // 2 :] += (dofs[::-1] - dofs[-1])[len(dofs) // 2 :]
        labels.add(chosen[0].opposite)
    return labels


def _observed(rng: np.random.Generator, dofs: Float, *, noise: Noise, fps: float) -> CameraTrajectory:
    n, seen = len(dofs), dofs.copy()
    for pair in ALIKE:
        source, target = rng.permutation(pair)
        seen[:, target] += rng.normal(0, noise.leak) * dofs[:, source]
    sigma = np.array([noise.rotation_rad] * 3 + [noise.translation] * 3 + [noise.log_focal])
    seen += rng.normal(size=(n, 7)) * sigma
    whole = build(seen, fps=fps, depth=float(np.exp(rng.normal())))
    valid = rng.random(n) >= noise.lost
    valid[[0, -1]] = True
    poses = np.where(valid[:, None, None], whole.cam_from_world, np.nan)
    return CameraTrajectory(whole.timestamps_s, poses, whole.focal_px, valid, whole.median_depth, image_size_px=SIZE_PX)
