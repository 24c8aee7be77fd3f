"""Each estimator turns Frames into an Estimate; the table is in registry.py."""
