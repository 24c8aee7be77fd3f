"""COLMAP and GLOMAP through pycolmap. Import in a child process only: pycolmap can abort it (docs/adr/0003-*.md)."""

from sfmcam.estimators.colmap.estimator import Colmap, Glomap

__all__ = ["Colmap", "Glomap"]
