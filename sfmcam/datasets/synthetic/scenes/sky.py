"""The sky: five far rectangles, drawn behind everything and left out of the scene's depth."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.scene import Surface
from sfmcam.datasets.synthetic.textures.materials import sky
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, to_uint8

FAR_M = 1500.0
TEXELS_PER_M = 0.17  # along 8 km of panorama: 2048 texels, about the resolution of the pictures
HORIZON_M = 60.0  # the sky reaches this far below the horizon, behind the ground's edge

MOODS: tuple[tuple[Color, Color, float], ...] = (
    ((0.27, 0.46, 0.76), (0.78, 0.86, 0.93), 0.45),
    ((0.44, 0.56, 0.74), (0.95, 0.84, 0.68), 0.55),
    ((0.62, 0.67, 0.73), (0.84, 0.86, 0.88), 0.85),
)


def sky_box(rng: np.random.Generator) -> list[Surface]:
    """Return four walls of sky and a lid, in one of a few moods; clouds differ on each."""
    zenith, horizon, cloud = MOODS[int(rng.integers(len(MOODS)))]
    panorama = Patch(8 * FAR_M, FAR_M, TEXELS_PER_M)
    walls = np.split(to_uint8(sky(panorama, rng, (zenith, horizon), cloud=cloud)), 4, axis=1)
    surfaces = []
    for turn, texture in zip(np.radians([-90, 0, 90, 180]), walls, strict=True):  # the panorama's ends meet behind the camera
        along, outward = np.array([np.cos(turn), 0, -np.sin(turn)]), np.array([np.sin(turn), 0, np.cos(turn)])
        corner = outward * FAR_M - along * FAR_M + np.array([0, HORIZON_M - FAR_M, 0])
        surfaces.append(Surface(corner, along * 2 * FAR_M, np.array([0, FAR_M, 0.0]), texture, is_backdrop=True))
    lid = to_uint8(sky(Patch(2 * FAR_M, 2 * FAR_M, TEXELS_PER_M / 2), rng, (zenith, zenith), cloud=cloud))
    corner = np.array([-FAR_M, HORIZON_M - FAR_M, -FAR_M])
    surfaces.append(Surface(corner, np.array([2 * FAR_M, 0, 0.0]), np.array([0, 0, 2 * FAR_M]), lid, is_backdrop=True))
    return surfaces
