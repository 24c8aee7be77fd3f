"""Which depth models give the prior of a clip, and how. Free of torch, so that the command line can check it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from sfmcam.config import Model


class PriorOptions(Model):
    """Options of the depth prior. With neither `relative` nor `metric` there is none, and the tracker starts from constant disparity.

    A model is a name of `depth_models.KNOWN`, a folder in transformers' layout, or an id of Hugging Face (`owner/name`) that is in
    the local cache. Nothing is ever downloaded from here.
    """

    relative: str | None = Field(default=None, description="model of relative disparity; alone it gives shape without a unit of length")
    metric: str | None = Field(default=None, description="model of depth in metres; alone it is taken as it is")
    cache: Path | None = Field(default=None, description="folder of Hugging Face's cache; None for its own choice (HF_HOME)")
    alignment: Literal["robust", "published"] = Field(
        default="robust", description="published: MegaSaM's medians and one line for the clip; robust: trimmed least squares per frame"
    )
    memory: float = Field(default=0.99, ge=0, le=1, description="robust: weight of the neighbouring frame in a frame's line")
    skip_sky: bool = Field(default=True, description="published: leave the sky out of the fit where there is much of it")
    sky_disparity: float = Field(default=0.02, ge=0, description="sky is what is below this share of the near disparity")
    sky_share: float = Field(default=0.4, ge=0, le=1, description="of the picture, from which on there is much sky")
    sampling: Literal["centred_mean", "block_mean", "point"] = Field(
        default="centred_mean", description="what a grid cell sees: 8x8 pixels about its centre, its 8x8 block (published), or one pixel"
    )
    every: int = Field(default=1, ge=1, description="run the models on every k-th frame; between them inverse depth is interpolated")
    batch: int = Field(default=4, ge=1, description="pictures at a time; halved where the memory of the device runs out")
    long_side_px: int | None = Field(default=None, ge=56, description="longer side of the models' input; None for their own choice")
    precision: Literal["float32", "bfloat16"] = Field(default="float32", description="in which the models compute")
