"""Labelled sets of clips."""
