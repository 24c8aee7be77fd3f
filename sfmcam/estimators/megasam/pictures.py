"""What the tracker is given of a shot: pictures at its size, and what is usual where nothing is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.clip import Clip, Given
from sfmcam.estimators.megasam.operator import UpdateOperator
from sfmcam.estimators.megasam.options import TrackerOptions
from sfmcam.estimators.megasam.resize import WorkingSize, resize_picture, tracker_intrinsics, working_size
from sfmcam.types import Frames

NEUTRAL_DISPARITY = 1.0


def size_of(frames: Frames, options: TrackerOptions) -> WorkingSize:
    """Return the size at which frames are tracked."""
    width, height = frames.size_px
    area = options.area_px if options.enlarge else min(options.area_px, width * height)
    return working_size(frames.size_px, area_px=area)


def clip_of(frames: Frames, size: WorkingSize, operator: UpdateOperator) -> Clip:
    """Return the pictures of a shot as the tracker wants them."""

    def picture(index: int) -> Tensor:
        resized = resize_picture(frames.images[index], size)
        rgb = resized if resized.ndim == 3 else np.repeat(resized[..., None], 3, axis=2)
        return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))

    return Clip(picture, operator, timestamps_s=torch.from_numpy(frames.timestamps_s))


def neutral(frames: Frames, size: WorkingSize, options: TrackerOptions) -> Given:
    """Return what is known of a shot of which nothing is known: a usual focal length, and a scene about one unit away."""
    focal = options.focal_factor * max(frames.size_px)
    row = torch.from_numpy(tracker_intrinsics(focal, size, half_pixel=True)).float()
    disps = torch.full((len(frames), *size.grid), NEUTRAL_DISPARITY)
    return Given(row.expand(len(frames), 4).contiguous(), disps)
