"""Depth and pose by dense bundle adjustment over an update operator, learned (MegaSaM) or classical (dense optical flow)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfmcam.estimators.megasam.estimator import Dense
    from sfmcam.estimators.megasam.learned import Megasam

__all__ = ["Dense", "Megasam"]
_PLACES = {"Dense": "estimator", "Megasam": "learned"}


def __getattr__(name: str) -> Any:
    """Import the class when it is first asked for, so that `options` beside it can be had without torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
