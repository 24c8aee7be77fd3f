"""Learned features for COLMAP and GLOMAP: kornia finds and matches them, COLMAP verifies and maps them."""
