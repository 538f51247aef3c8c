"""Attention within sequences that lie one after another in a flat row. Knows devices and kernels, no model.

N: tokens of all sequences, H: heads, D: size of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

_HALF = (torch.bfloat16, torch.float16)


@dataclass(frozen=True, slots=True)
class Lengths:
    """The tokens of each sequence of a row."""

    each: Sequence[int]
    longest: int
    """At least the most tokens of a sequence."""
    ends: torch.Tensor | None = None
    """0 and where each sequence ends, on a CUDA device; `(sequences + 1,)` int32; None on a CPU."""

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> Lengths:
        """Those of sequences that lie on `device`."""
        ends = None
        if device.type == "cuda":
            ends = torch.from_numpy(ends_of(lengths)).pin_memory().to(device, non_blocking=True)
        return cls(lengths, max(lengths, default=0), ends)


def ends_of(lengths: Sequence[int]) -> npt.NDArray[np.int32]:
    """0 and where each sequence ends; `(sequences + 1,)` int32."""
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)


def is_packed(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether `attention` works there: on CPUs, and in half precision on NVIDIA's devices from Ampere on."""
    if device.type != "cuda":
        return device.type == "cpu"
    is_recent = torch.version.cuda is not None and torch.cuda.get_device_capability(device) >= (8, 0)
    return is_recent and dtype in _HALF


def attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, lengths: Lengths
) -> torch.Tensor:
    """What each token takes from its own sequence's: softmax(QK^T / sqrt(D)) V; all `(N, H, D)`."""
    if lengths.ends is not None:
        # the kernel behind torch.nn.attention.varlen, which torch has had for longer than that module
        output: torch.Tensor = torch.ops.aten._flash_attention_forward(
            queries,
            keys,
            values,
            lengths.ends,
            lengths.ends,
            lengths.longest,
            lengths.longest,
            0.0,
            False,
            False,
        )[0]
        return output
    rows = zip(*(torch.split(part, list(lengths.each)) for part in (queries, keys, values)), strict=True)
    return torch.cat([_one(*row) for row in rows])


def _one(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    queries, keys, values = (part.transpose(0, 1)[None] for part in (queries, keys, values))  # (1, H, L, D)
    return functional.scaled_dot_product_attention(queries, keys, values)[0].transpose(0, 1)  # (L, H, D)
