"""What the fork server imports before clips run on `dense`: PyTorch and the estimator, with the compiled functions of `vo` loaded.

PyTorch is imported but not used: its threads must not have started when the server forks.
"""

from __future__ import annotations

import sfmcam.estimators.megasam.estimator
import sfmcam.estimators.vo.preload  # noqa: F401
