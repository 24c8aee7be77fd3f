"""Options of the COLMAP and GLOMAP estimators. A value left at None is COLMAP's own default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sfmcam.config import Model


class ColmapOptions(Model):
    """Options of both mappers; those of one mapper only say so."""

    matching: Literal["sequential", "exhaustive"] = Field(
        default="sequential", description="exhaustive falls back to sequential above `exhaustive_max_frames`"
    )
    exhaustive_max_frames: int = Field(default=40, ge=2, description="more frames than this are matched sequentially")
    features: Literal["sift", "disk", "aliked", "loftr"] = Field(
        default="sift",
        description="disk and aliked come with LightGlue; all but sift need the extra `learned` and weights (`sfmcam weights`)",
    )
    max_num_features: int | None = Field(default=None, ge=100, description="SIFT features per frame")
    max_num_learned_features: int | None = Field(
        default=None, ge=100, description="learned features per frame; None: 1024 of disk and aliked, 4096 of loftr"
    )
    features_device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="where learned features are computed; auto: a GPU if any"
    )
    camera_model: Literal["SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV"] | None = Field(
        default=None, description="COLMAP camera model"
    )
    single_camera: bool = Field(default=False, description="one camera for all frames; false lets COLMAP decide")
    focal_factor: float | None = Field(default=None, gt=0.1, lt=10, description="prior focal length over the long side of the picture")
    fix_focal_while_mapping: bool = Field(default=False, description="keep the prior focal length until the map stands")
    final_refinement: bool = Field(default=False, description="end with a bundle adjustment in which the focal length is free")
    choose_motion_model: bool = Field(
        default=False, description="recognise still and turning cameras from the two-view geometries, instead of inventing a translation"
    )
    two_view_max_error_px: float | None = Field(default=None, gt=0, description="inlier threshold of the two-view verification")
    init_min_tri_angle_deg: float | None = Field(default=None, gt=0, description="incremental: triangulation angle of the first pair")
    init_min_num_inliers: int | None = Field(default=None, ge=5, description="incremental: inliers of the first pair")
    init_max_forward_motion: float | None = Field(
        default=None, gt=0, le=1, description="incremental: limit of forward motion of the first pair"
    )
    abs_pose_min_num_inliers: int | None = Field(default=None, ge=4, description="incremental: inliers of a frame that is added")
    min_tri_angle_deg: float | None = Field(default=None, gt=0, description="triangulation angle below which a point is dropped")
    use_two_view_tracks: bool = Field(default=False, description="also use points that only two frames see")
    min_model_size: int | None = Field(default=None, ge=2, description="frames that a model must have")
    multiple_models: bool | None = Field(default=None, description="let COLMAP split the clip into several models")
    refine_distortion: bool = Field(default=True, description="refine the distortion parameters of the camera model")
