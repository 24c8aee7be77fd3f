"""Which type the convolutions run in where nobody says."""

from __future__ import annotations

import torch


def fast_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the hardware multiplies it (GPUs since Ampere, CPUs with AVX512-BF16 or AMX), else float32.

    On other CPUs bfloat16 is imitated, several times slower than float32.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    probes = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return torch.bfloat16 if any(probe() for probe in probes if probe is not None) else torch.float32
