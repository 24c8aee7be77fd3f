"""Trajectory and score files."""
