"""Depth and pose by dense bundle adjustment of a graph of keyframes, with a learned or a classical flow operator (MegaSaM, DROID-SLAM)."""
