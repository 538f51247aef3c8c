"""Exchanges a causal model's layers for faster ones, in place. Knows how layers hold weights; not what is faster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from transformers.activations import NewGELUActivation
from transformers.pytorch_utils import Conv1D

from compressors import causal_attention
from compressors.linear import Gelu, PackedLinear, fastest, packed
from compressors.products import fastest_product


@torch.inference_mode()
def pack(model: Any) -> None:
    """Exchange linear layers and attention of a float32 model on the CPU for faster ones, if there are any here.

    Embeddings that share a layer's weight keep it. A model that computes anything else afterwards is put
    back as it was.
    """
    layers = list(_places(model, (torch.nn.Linear, Conv1D)))
    if model.dtype != torch.float32 or not layers:
        return
    largest = max((layer for *_, layer in layers), key=lambda layer: layer.weight.numel())
    if fastest(_weight(largest), largest.bias) is not packed:
        return
    activations = list(_places(model, (NewGELUActivation,)))
    ids = torch.arange(1, 41)[None]  # enough for each way of attention
    before = model(input_ids=ids).logits
    activated = [_widening(parent) for parent, *_ in activations]  # which then need no activation behind them
    for parent, name, layer in layers:
        gelu: Gelu | None = "tanh" if layer in activated else None
        setattr(parent, name, PackedLinear(_weight(layer), layer.bias, gelu=gelu))
    for (parent, name, _), layer in zip(activations, activated, strict=True):
        setattr(parent, name, torch.nn.GELU(approximate="tanh") if layer is None else torch.nn.Identity())
    product = fastest_product(model.dtype)
    give_back = None if product is torch.bmm else causal_attention.install(model, product)
    try:
        same = torch.allclose(model(input_ids=ids).logits, before, rtol=1e-3, atol=1e-3)
    except (AttributeError, TypeError):  # the model looks into its layers
        same = False
    if not same:
        for parent, name, module in (*layers, *activations):
            setattr(parent, name, module)
        if give_back is not None:
            give_back()


def _places(
    model: torch.nn.Module, kinds: tuple[type[torch.nn.Module], ...]
) -> Iterator[tuple[torch.nn.Module, str, Any]]:
    """Each module that is exactly of one of the `kinds`, with its parent and its name there."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) in kinds:
                yield parent, name, child


def _widening(parent: torch.nn.Module) -> torch.nn.Module | None:
    """The only layer in `parent` with more outputs than inputs, if there is one: the first of a feed-forward block."""
    found = [
        child
        for child in parent.children()
        if type(child) in (torch.nn.Linear, Conv1D) and _weight(child).shape[0] > _weight(child).shape[1]
    ]
    return found[0] if len(found) == 1 else None


def _weight(layer: Any) -> torch.Tensor:
    weight: torch.Tensor = layer.weight.detach()
    return weight.T if isinstance(layer, Conv1D) else weight
