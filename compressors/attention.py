"""Attention within sequences that lie one after another in a flat row. Knows devices and kernels, no model.

N: tokens of all sequences, L: tokens of one, W: the next multiple of `STEP`, H: heads, D: size of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from compressors.products import Product, fastest_product
from compressors.timing import shortest_s

_HALF = (torch.bfloat16, torch.float16)
STEP = 16
"""On a CPU, tokens are filled up to a multiple: oneDNN compiles a product for each shape, and keeps some hundred KB."""
_SAMPLE = 256
"""Tokens of the sequence by which attention is chosen."""
_SHORT = 128
"""Tokens of a sequence for which torch's fused kernel is never slower by much."""
_WORTHWHILE = 1.05
"""How much faster the steps one by one have to be."""

One = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Attention within one sequence: queries, keys and values, `(L, H, D)` each, to the like."""


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


class Attention:
    """What each token takes from its own sequence's: softmax(QK^T / sqrt(D)) V.

    On CPUs, in `dtype`, either torch's fused kernel or the steps one by one, whichever is faster for `heads` of a
    `size`; found out by a short measurement.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, heads: int, size: int) -> None:
        self._one: One = _fastest(dtype, heads, size) if device.type == "cpu" else _fused

    def __call__(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, lengths: Lengths
    ) -> torch.Tensor:
        """Of sequences one after another; all `(N, H, D)`. On a CPU, N may be more than the sequences' tokens."""
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
        mixed = torch.zeros_like(queries, memory_format=torch.contiguous_format)
        ends = ends_of(lengths.each)
        for low, high in pairwise(ends):
            mixed[low:high] = self._one(queries[low:high], keys[low:high], values[low:high])
        return mixed


@torch.inference_mode()
def _fastest(dtype: torch.dtype, heads: int, size: int) -> One:
    sample = torch.randn(3, _SAMPLE, heads, size).to(dtype)
    stepwise = _stepwise(fastest_product(dtype))
    ahead = shortest_s(lambda: stepwise(*sample)) * _WORTHWHILE
    if ahead >= shortest_s(lambda: _fused(*sample)):
        return _fused
    return lambda queries, *others: (_fused if len(queries) < _SHORT else stepwise)(queries, *others)


def _fused(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    queries, keys, values = (part.transpose(0, 1)[None] for part in (queries, keys, values))  # (1, H, L, D)
    return functional.scaled_dot_product_attention(queries, keys, values)[0].transpose(0, 1)  # (L, H, D)


def _stepwise(product: Product) -> One:
    """Attention by `product`, the whole of the scores at once.

    From the keys their mean is taken: it adds the same to all scores of a query, which softmax doesn't see, but
    smaller scores are rounded less in half precision (Zhang et al. 2024, SageAttention: smoothing of K).
    """

    def one(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        length = len(queries)
        if keys.dtype in _HALF:
            keys = keys - keys.mean(0, keepdim=True)
        queries, keys, values = (_whole(part) for part in (queries * queries.shape[-1] ** -0.5, keys, values))
        scores = product(queries, keys.transpose(1, 2))  # (H, W, W)
        scores[..., length:] = -torch.inf
        torch.softmax(scores, -1, out=scores)  # memory of that size is dear to get
        return product(scores, values)[:, :length].transpose(0, 1)  # (L, H, D)

    return one


def _whole(part: torch.Tensor) -> torch.Tensor:
    """`part` (`(L, H, D)`) by heads, with zeros up to a whole number of `STEP`s: `(H, W, D)`."""
    length, heads, size = part.shape
    whole = part.new_zeros(heads, length + -length % STEP, size)
    whole[:, :length] = part.transpose(0, 1)
    return whole
