"""COLMAP and GLOMAP through pycolmap, which comes with their classes and not with their options.

Import the classes in a child process only: pycolmap can abort it (docs/adr/0003-*.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfmcam.estimators.colmap.estimator import Colmap, Glomap

__all__ = ["Colmap", "Glomap"]


def __getattr__(name: str) -> Any:
    """Import a class when it is first asked for, so that `options` beside it can be had without pycolmap."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.estimator"), name)
