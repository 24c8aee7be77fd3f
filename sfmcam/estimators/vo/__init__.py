"""Visual odometry made for short clips: corners followed from frame to frame, and one small bundle adjustment per motion model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfmcam.estimators.vo.estimator import Vo

__all__ = ["Vo"]


def __getattr__(name: str) -> Any:
    """Import the class when it is first asked for, so that `options` beside it can be had without OpenCV and numba."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.estimator"), name)
