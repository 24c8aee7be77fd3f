"""Options of the estimators `dense` and `megasam`; read without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from sfmcam.config import Model
from sfmcam.estimators.megasam.prior_options import PriorOptions


class Schedule(Model):
    """How much work is done on what: of the published tracker by default. Distances count in 1/8 pixels."""

    filter_flow: float = Field(default=2.0, gt=0, description="mean flow since the last keyframe that makes a new one")
    min_keyframes: int = Field(default=8, ge=2, description="the flow is lowered until there are as many")
    warmup: int = Field(default=8, ge=2, description="keyframes of the initialisation")
    init_updates: int = Field(default=10, ge=1, description="revisions of each of its three rounds")
    init_radius: int = Field(default=3, ge=1, description="neighbours that are tied together in it before anything is known")
    two_view_start: bool = Field(default=False, description="also start from the motion that most cells of two keyframes agree on")
    keyframe_distance: float = Field(default=2.0, ge=0, description="a keyframe nearer to the one before is dropped again; 0: never")
    frontend_updates: int = Field(default=8, ge=1, description="revisions per new keyframe")
    extra_updates: int = Field(default=4, ge=0, description="and once it is kept")
    frontend_window: int = Field(default=25, ge=3, description="keyframes among which a new one looks for edges")
    frontend_threshold: float = Field(default=12.0, gt=0, description="distance up to which keyframes get an edge")
    radius: int = Field(default=2, ge=1, description="neighbours that always get edges")
    nms: int = Field(default=1, ge=0, description="edges suppressed about a chosen one")
    max_edges: int = Field(default=48, ge=6, description="active edges of the frontend")
    max_age: int = Field(default=25, ge=1, description="revisions after which an edge is retired")
    frontend_prior: float = Field(default=0.05, ge=0, description="weight of the depth prior in the frontend")
    gauss_newton: int = Field(default=2, ge=1, description="steps of the adjustment per revision")
    backend_updates: int = Field(default=20, ge=0, description="revisions of all keyframes together")
    backend_threshold: float = Field(default=16.0, gt=0, description="distance up to which keyframes get an edge")
    backend_radius: int = Field(default=2, ge=1, description="neighbours that always get edges")
    backend_nms: int = Field(default=3, ge=0, description="edges suppressed about a chosen one")
    backend_edges: int = Field(default=16, ge=2, description="most edges per keyframe")
    backend_prior: float = Field(default=1e-5, ge=0, description="weight of the depth prior where the pictures hardly tell depth")
    early_stop: float = Field(default=1e-4, ge=0, description="a pose step below ends the backend early; 0: never")
    focal_updates: int | None = Field(
        default=None, ge=1, description="revisions once the focal length is freed; by default as many as the backend's"
    )
    fill_updates: int = Field(default=6, ge=1, description="revisions of the poses between keyframes")
    fill_chunk: int = Field(default=16, ge=1, description="frames filled at once")
    chunk_frames: int = Field(default=8, ge=1, description="source frames whose edges the operator revises at once")


class TrackerOptions(Model):
    """What both estimators have in common."""

    start: Literal["none", "vo"] = Field(
        default="none", description="vo: poses, focal lengths, static mask and the belief in each motion come from the estimator vo"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: the GPU where there is one")
    area_px: int = Field(default=384 * 512, ge=128 * 128, le=1024 * 1024, description="pixels of a picture at the tracker's size")
    enlarge: bool = Field(default=True, description="also enlarge smaller pictures to that size")
    window: int = Field(default=64, ge=6, description="most keyframes that are solved together; longer clips are joined from windows")
    overlap: int = Field(default=6, ge=2, description="keyframes that neighbouring windows share")
    focal_factor: float = Field(default=0.65, gt=0.1, lt=10, description="prior focal length over the long side of the picture")
    focal_log_sigma: float = Field(default=0.25, gt=0, description="standard deviation of its logarithm")
    focal_guesses: tuple[float, ...] = Field(
        default=(0.65, 1.2), min_length=1, description="focal lengths that are tried, over the long side"
    )
    focal: Literal["auto", "fixed", "shared", "per_frame"] = Field(
        default="auto", description="auto: one per keyframe where the pictures tell it, else one for all, else fixed"
    )
    focal_step_sigma: float = Field(
        default=0.05, gt=0, description="standard deviation of the change of log focal between neighbouring keyframes"
    )
    motion_models: bool = Field(default=True, description="recognise still, turning and zooming cameras instead of inventing a translation")
    prior: PriorOptions = Field(default_factory=PriorOptions, description="depth prior; without models: constant disparity at the start")
    schedule: Schedule = Field(default_factory=Schedule, description="how much work is done")

    @property
    def has_prior(self) -> bool:
        """Whether a depth model is asked for."""
        return self.prior.relative is not None or self.prior.metric is not None

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.has_prior and self.start != "none":
            raise ValueError('a depth prior gives its own start: leave `start = "none"`')
        return self


class DenseOptions(TrackerOptions):
    """Options of `dense`."""

    flow: Literal["fast", "medium"] = Field(default="medium", description="quality of the optical flow")


class MegasamOptions(TrackerOptions):
    """Options of `megasam`."""

    weights: Path | None = Field(default=None, description="checkpoint; by default the one that `sfmcam weights get megasam` fetches")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="of the convolutions; auto: what the device multiplies fastest without harm"
    )
    graphs: bool = Field(default=True, description="on a GPU, record the launches of an update and replay them")
