"""What the fork server imports once, so that a fresh child process costs a tenth of a second instead of two.

Imported in the fork server only (batch/local.py). BLAS must not have started threads when the server forks, hence the
first lines. pycolmap stays out: it is loaded where it is needed, and its memory is then booked on the clip that uses it.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import sfmcam.batch.worker
import sfmcam.pipeline  # noqa: F401
