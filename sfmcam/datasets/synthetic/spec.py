"""The recipe of one clip: scene, camera, movers, and what lens, sensor and edit do to the picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sfmcam.datasets.synthetic.camera_path import Curve, Shake
from sfmcam.datasets.synthetic.finish import PLAIN, Finish
from sfmcam.datasets.synthetic.scenes.actors import ActorSpec
from sfmcam.datasets.synthetic.scenes.movers import MoverSpec
from sfmcam.types import Float


@dataclass(frozen=True)
class ClipSpec:
    """Recipe of one clip. The same recipe gives the same clip.

    Attributes:
        id: name of the clip and of its files.
        scene: a key of `stage.SCENES`.
        seed: source of everything random.
        curves: the camera's intended path.
        shake: unsteadiness on top, or None for a tripod, a dolly or a gimbal.
        movers: what moves by itself.
        size_px: (width, height), both even.
        fps: frames per second.
        seconds: length.
        hfov_deg: horizontal field of view before zooming.
        start_yaw_deg: where the camera looks at first, to the right of the scene's main direction.
        start_pitch_deg: where the camera looks at first, above the scene's own pitch.
        shutter: share of the frame interval during which the shutter is open; 0 draws without motion blur.
        noise: standard deviation of the sensor noise, in 8-bit steps.
        exposure: factor on the brightness.
        crf: quality of the H.264 encoding, 18 (fine) to 34 (coarse).
        finish: lens distortion, rolling shutter, bars and lettering.
        scouted: True where a start is to be looked for from which the whole path is free and in sight; yaw and pitch are then only
            where the search begins. False starts exactly where the scene, yaw and pitch say.
    """

    id: str
    scene: str
    seed: int
    curves: tuple[Curve, ...] = ()
    shake: Shake | None = None
    movers: tuple[MoverSpec | ActorSpec, ...] = ()
    size_px: tuple[int, int] = (480, 270)
    fps: float = 24.0
    seconds: float = 2.2
    hfov_deg: float = 64.0
    start_yaw_deg: float = 0.0
    start_pitch_deg: float = 0.0
    shutter: float = 0.0
    noise: float = 1.5
    exposure: float = 1.0
    crf: int = 20
    finish: Finish = field(default=PLAIN, repr=False)  # kept out of the repr, by which clips of version 2 are known on disk
    scouted: bool = field(default=False, repr=False)

    @property
    def timestamps_s(self) -> Float:
        """(N,) times of the frames."""
        return np.arange(max(round(self.seconds * self.fps), 2)) / self.fps

    @property
    def focal_px(self) -> float:
        """Focal length before zooming."""
        return float(self.size_px[0] / 2 / np.tan(np.radians(self.hfov_deg) / 2))

    def recipe(self) -> str:
        """Return everything that decides how the clip looks, as text."""
        additions = f" {self.finish!r} scouted={self.scouted}" if self.finish != PLAIN or self.scouted else ""
        return f"{self!r}{additions}"
