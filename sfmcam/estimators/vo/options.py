"""Options of the estimator `vo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sfmcam.config import Model

if TYPE_CHECKING:
    from sfmcam.estimators.vo.bundle import Freedom


class ModelBelief(Model):
    """How the motion models are weighed by their likelihood alone: for poses and the mean path. What is scored: `belief.Belief`."""

    static: float = Field(default=1.0, gt=0, description="prior weight of a camera that rests")
    rotation: float = Field(default=1.0, gt=0, description="of one that turns")
    rotation_zoom: float = Field(default=1.0, gt=0, description="of one that turns and zooms")
    translation: float = Field(default=0.2, gt=0, description="of one that moves without turning")
    rotation_translation: float = Field(default=0.01, gt=0, description="of one that turns and moves")
    all: float = Field(default=0.01, gt=0, description="of one that turns, moves and zooms")
    noises: float = Field(default=1.5, gt=0, description="scale of the likelihood, in sigmas of the tracks' noise")
    bend: float = Field(default=0.01, ge=0, description="what bends tracks together (lens, shutter), as a share of how far they moved")
    observations: float = Field(default=4.0, gt=0, description="how many independent observations a window is worth")

    def prior(self, freedom: Freedom) -> float:
        """Return the prior weight of a model."""
        weight: float = getattr(self, freedom.name.lower())
        return weight


DECISIVE = ModelBelief(translation=0.3, rotation_translation=0.03, all=0.005, observations=8.0)


class VoOptions(Model):
    """Options of `vo`."""

    max_points: int = Field(default=260, ge=40, description="points of one window's bundle adjustment")
    window: int = Field(default=24, ge=6, description="keyframes of one window")
    overlap: int = Field(default=6, ge=2, description="keyframes that neighbouring windows share")
    focal_factor: float = Field(default=0.65, gt=0.1, lt=10, description="prior focal length over the long side of the picture")
    focal_log_sigma: float = Field(default=0.25, gt=0, description="standard deviation of its logarithm")
    belief: ModelBelief = Field(
        default_factory=ModelBelief, description="how the motion models are weighed in the mean path that is measured: softly"
    )
    pose_belief: ModelBelief = Field(default=DECISIVE, description="how they are weighed where one must give the poses")
