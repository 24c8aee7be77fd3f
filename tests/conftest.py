"""Shared fixtures. zlib comes first through sfmcam (see sfmcam/__init__.py)."""

from __future__ import annotations

import sfmcam  # noqa: F401  (before any test imports pycolmap)
