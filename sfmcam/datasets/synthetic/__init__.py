"""Rendered clips with exact truth: scenes, camera paths, a renderer, labels by thresholds, and files in CameraBench's layout."""
