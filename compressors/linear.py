"""Linear layers in faster forms: weights laid out once, in 8 bits where wanted, activations computed on the way.

Owns the choice between them, by a short measurement. Knows no models.
N: rows, I: inputs, O: outputs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal, Protocol

import torch
from torch.nn import functional

from compressors.timing import shortest_s

_ROWS = 128
_WORTHWHILE = 1.05
"""How much faster oneDNN has to be."""

_TINY = 1e-12

Gelu = Literal["none", "tanh"]
"""What GELU is approximated by."""

Linear = Callable[[torch.Tensor], torch.Tensor]
"""`(N, I)` to `(N, O)`."""


class Make(Protocol):
    """Builds a linear layer, with GELU behind it or without."""

    def __call__(self, weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: bool) -> Linear:
        """From a weight of `(O, I)` and a bias of `(O,)`, if there is one."""


def plain(weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: bool) -> Linear:
    """Torch's own layer."""
    if not gelu:
        return lambda inputs: functional.linear(inputs, weight, bias)
    return lambda inputs: functional.gelu(functional.linear(inputs, weight, bias))


def packed(weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: bool) -> Linear:
    """oneDNN's, on a CPU; raises RuntimeError if that lacks the instructions for the weight's dtype."""
    return PackedLinear(weight, bias, gelu="none" if gelu else None).forward


def quantised(weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: bool) -> Linear:
    """In 8 bits, on a CPU: a scale for each output; for each row of inputs, when it comes, a scale and a lowest value
    (vector-wise quantisation: Dettmers et al. 2022, LLM.int8(), section 2.1; with a zero point: Jacob et al. 2018,
    section 2.1)."""
    onednn = torch.ops.onednn
    scales = weight.abs().amax(1).clamp_(min=_TINY) / 127  # (O,)
    rounded = (weight / scales[:, None]).round()
    laid_out = onednn.qlinear_prepack(rounded.to(torch.int8), None)
    sums = rounded.sum(1) * scales  # (O,): what the lowest value of a row adds
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    levels = _levels()

    def linear(inputs: torch.Tensor) -> torch.Tensor:
        lowest, highest = (
            inputs.amin(-1, keepdim=True),
            inputs.amax(-1, keepdim=True),
        )  # (N, 1); faster than aminmax
        steps = (highest - lowest).clamp_(min=_TINY).div_(levels)
        rows = (inputs - lowest).mul_(1 / steps).round_().to(torch.uint8)
        product = onednn.qlinear_pointwise(
            rows, 1.0, 0, laid_out, scales, zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        outputs = product.mul_(steps).addr_(lowest[:, 0], sums)
        if bias is not None:
            outputs += bias
        return functional.gelu(outputs) if gelu else outputs

    return linear


@functools.cache
def _levels() -> int:
    """Steps between a row's lowest and highest value: 255, or 127 where sums of two products don't fit the processor's
    16 bits (x86 without VNNI)."""
    largest = torch.full((1, 64), 127, dtype=torch.int8)
    product = torch.ops.onednn.qlinear_pointwise(
        torch.full((1, 64), 255, dtype=torch.uint8),
        1.0,
        0,
        torch.ops.onednn.qlinear_prepack(largest, None),
        torch.ones(1),
        torch.zeros(1, dtype=torch.int64),
        None,
        1.0,
        0,
        torch.float32,
        "none",
        [],
        "",
    )
    return 255 if product.item() == 255 * 127 * 64 else 127


@torch.inference_mode()
def fastest(weight: torch.Tensor, bias: torch.Tensor | None) -> Make:
    """`plain` or `packed`, whichever is faster for such layers here; `plain` on anything but a CPU."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return plain
    inputs = torch.randn(_ROWS, weight.shape[1], dtype=weight.dtype)
    try:
        candidate = packed(weight, bias, gelu=False)
        ahead = shortest_s(lambda: candidate(inputs)) * _WORTHWHILE
    except RuntimeError:
        return plain
    own = plain(weight, bias, gelu=False)
    return packed if ahead < shortest_s(lambda: own(inputs)) else plain


class PackedLinear(torch.nn.Module):
    """A linear layer whose weight (`(O, I)`) lies in oneDNN's own order, with GELU behind it or without."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: Gelu | None = None) -> None:
        super().__init__()
        self._activation, self._algorithm = ("none", "") if gelu is None else ("gelu", gelu)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), None)
        self._bias = bias

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`inputs` (`(…, I)`) times the weight, plus the bias; `(…, O)`."""
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            inputs, self._weight, self._bias, self._activation, [], self._algorithm
        )
        return product
