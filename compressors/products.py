"""Batches of matrix products on a CPU: torch's, or oneDNN's where those are faster and as exact. Knows no models.

B: matrices in a batch, N: rows of the left ones, I: columns of them, O: columns of the right ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from compressors.timing import shortest_s

_BATCH, _ROWS, _COLUMNS = 8, 256, 64
_WORTHWHILE = 1.1
"""How much faster oneDNN has to be."""
_EXACT = 1e-5
"""Largest difference to the product in float64, beside its largest number, of what counts as float32."""

Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""`(B, N, I)` and `(B, I, O)` to `(B, N, O)`."""


@torch.inference_mode()
def fastest_product(dtype: torch.dtype) -> Product:
    """`torch.bmm`, or for float32 `onednn_product` if that is faster here and rounds to nothing coarser."""
    if dtype != torch.float32 or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return torch.bmm
    left, right = torch.randn(_BATCH, _ROWS, _COLUMNS), torch.randn(_BATCH, _COLUMNS, _ROWS)
    try:
        candidate = onednn_product()
        exact = left.double() @ right.double()
        largest = float((candidate(left, right) - exact).abs().max() / exact.abs().max())
    except (AttributeError, RuntimeError):  # a torch that can't be told so
        return torch.bmm
    ahead = shortest_s(lambda: candidate(left, right)) * _WORTHWHILE
    usual = shortest_s(lambda: torch.bmm(left, right))
    return candidate if largest < _EXACT and ahead < usual else torch.bmm


def onednn_product() -> Product:
    """oneDNN's product of float32 matrices.

    Torch calls it only where its setting allows oneDNN to round to bfloat16, which oneDNN does on processors that are
    faster so (Intel's AMX), and nowhere else.
    """
    setting: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    usual = setting.fp32_precision

    def product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        setting.fp32_precision = "bf16"
        try:
            return torch.bmm(left, right)
        finally:
            setting.fp32_precision = usual

    return product
