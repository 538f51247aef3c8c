"""Linear layers in faster forms: weights laid out once, in 8 bits where wanted, activations computed on the way.

Owns the choice between them, by a short measurement. Knows no models.
N: rows, I: inputs, O: outputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import torch
from torch.nn import functional

_ROWS, _ROUNDS = 128, 3
_WORTHWHILE = 1.05
"""How much faster oneDNN has to be."""

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
    return PackedLinear(weight, bias, gelu=gelu).forward


def quantised(weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: bool) -> Linear:
    """In 8 bits, on a CPU: a scale for each output, and for each row of the inputs when it comes (LLM.int8(),
    Dettmers et al. 2022, section 2.1, without the outliers' part)."""
    onednn = torch.ops.onednn
    scales = weight.abs().amax(1).clamp_(min=1e-12) / 127  # (O,)
    laid_out = onednn.qlinear_prepack((weight / scales[:, None]).round().to(torch.int8), None)
    zeros = torch.zeros(len(scales), dtype=torch.int64)

    def linear(inputs: torch.Tensor) -> torch.Tensor:
        steps = inputs.abs().amax(-1, keepdim=True).clamp_(min=1e-12).div_(127)  # (N, 1)
        rows = (inputs / steps).round_().add_(128).to(torch.uint8)
        product = onednn.qlinear_pointwise(
            rows, 1.0, 128, laid_out, scales, zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        outputs = product.mul_(steps) if bias is None else torch.addcmul(bias, product, steps)
        return functional.gelu(outputs) if gelu else outputs

    return linear


@torch.inference_mode()
def fastest(weight: torch.Tensor, bias: torch.Tensor | None) -> Make:
    """`plain` or `packed`, whichever is faster for such layers here; `plain` on anything but a CPU."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return plain
    inputs = torch.randn(_ROWS, weight.shape[1], dtype=weight.dtype)
    try:
        candidate = packed(weight, bias, gelu=False)
        ahead = _seconds(lambda: candidate(inputs)) * _WORTHWHILE
    except RuntimeError:
        return plain
    own = plain(weight, bias, gelu=False)
    return packed if ahead < _seconds(lambda: own(inputs)) else plain


class PackedLinear(torch.nn.Module):
    """A linear layer whose weight (`(O, I)`) lies in oneDNN's own order, with GELU behind it or without."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, *, gelu: bool = False) -> None:
        super().__init__()
        self._activation, self._algorithm = ("gelu", "none") if gelu else ("none", "")
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), None)
        self._bias = bias

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`inputs` (`(…, I)`) times the weight, plus the bias; `(…, O)`."""
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            inputs, self._weight, self._bias, self._activation, [], self._algorithm
        )
        return product


def _seconds(run: Callable[[], object]) -> float:
    """The shortest of a few runs, after one that doesn't count."""
    run()
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)
