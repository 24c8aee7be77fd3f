"""Metric kernels and tables; they open no file."""
