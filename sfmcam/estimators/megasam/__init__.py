"""Depth and pose by dense bundle adjustment over an update operator, learned (MegaSaM) or classical (dense optical flow)."""
