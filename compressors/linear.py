"""A CPU model's layers in faster forms: weights laid out once for oneDNN, activations computed in one pass.

Owns the choice, by a short measurement, and the exchange of modules. Knows no model's architecture.
N: rows, I: inputs, O: outputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers.activations import NewGELUActivation
from transformers.pytorch_utils import Conv1D

_ROWS, _ROUNDS = 128, 3
_WORTHWHILE = 1.05
"""How much faster oneDNN has to be."""


class PackedLinear(torch.nn.Module):
    """A linear layer whose weight (`(O, I)` float32) lies in oneDNN's own order."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), None)
        self._bias = bias

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`inputs` (`(…, I)`) times the weight, plus the bias; `(…, O)`."""
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            inputs, self._weight, self._bias, "none", [], ""
        )
        return product


@torch.inference_mode()
def pack(model: Any) -> None:
    """Exchange the linear layers of a float32 model on the CPU for packed ones, if those are faster here.

    Embeddings that share a layer's weight keep it. A model that computes anything else afterwards is put
    back as it was.
    """
    if model.device.type != "cpu" or model.dtype != torch.float32 or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return
    layers = list(_places(model, (torch.nn.Linear, Conv1D)))
    if not layers or not _is_faster(
        max((layer for *_, layer in layers), key=lambda layer: layer.weight.numel())
    ):
        return
    activations = list(_places(model, (NewGELUActivation,)))
    ids = torch.arange(1, 9)[None]
    before = model(input_ids=ids).logits
    for parent, name, layer in layers:
        setattr(parent, name, PackedLinear(_weight(layer), layer.bias))
    for parent, name, _ in activations:
        setattr(parent, name, torch.nn.GELU(approximate="tanh"))
    try:
        same = torch.allclose(model(input_ids=ids).logits, before, rtol=1e-3, atol=1e-3)
    except (AttributeError, TypeError):  # the model looks into its layers
        same = False
    if not same:
        for parent, name, module in (*layers, *activations):
            setattr(parent, name, module)


def _places(
    model: torch.nn.Module, kinds: tuple[type[torch.nn.Module], ...]
) -> Iterator[tuple[torch.nn.Module, str, Any]]:
    """Each module that is exactly of one of the `kinds`, with its parent and its name there."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) in kinds:
                yield parent, name, child


def _weight(layer: Any) -> torch.Tensor:
    weight: torch.Tensor = layer.weight.detach()
    return weight.T if isinstance(layer, Conv1D) else weight


def _is_faster(layer: Any) -> bool:
    packed = PackedLinear(_weight(layer), layer.bias)
    inputs = torch.randn(_ROWS, _weight(layer).shape[1])
    return _seconds(lambda: layer(inputs)) > _WORTHWHILE * _seconds(lambda: packed(inputs))


def _seconds(run: Callable[[], object]) -> float:
    """The shortest of a few runs, after one that doesn't count."""
    run()
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)
