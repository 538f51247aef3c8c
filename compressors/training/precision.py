"""What a training computes in. Knows devices, no model."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]


def choose_precision(precision: Precision | Literal["auto"], device: torch.device) -> Precision:
    """`auto` is bfloat16 where the device has instructions for it, else float32.

    Weights stay float32 either way: bfloat16 is for the products (`torch.autocast`).
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bfloat16 = device.type == "cpu" and (
            torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        )
    return "bfloat16" if has_bfloat16 else "float32"
