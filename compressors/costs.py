"""What a causal model's passes cost on its device, and how much memory may be spent to save some.

Knows sizes of models and kinds of devices; measures nothing, so that a model's batches are the same everywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch


class Costs(NamedTuple):
    """What decides about batches, and what is kept between them."""

    pass_tokens: int
    """Tokens that take as long as one more pass of the model does: what sharing a prefix has to save, and the
    padding that a batch may have."""
    prefix_bytes: int
    """Most memory for prefixes."""
    held_bytes: int
    """Most memory for states that jobs may ask for later."""
    line_bytes: int
    """Most memory for lines."""


_PROCESSOR = Costs(pass_tokens=32, prefix_bytes=1 << 26, held_bytes=1 << 28, line_bytes=1 << 30)
_LAYER_FLOP = 1.5e11
"""What a large GPU could compute while the host starts one layer's kernels: about 35 in 0.3 ms, at 500 TFLOP/s."""
_LEAST_TOKENS = 128
_OTHER_MEMORY = 8 << 30
"""Taken for the memory of an accelerator that doesn't tell."""


def costs_of(model: Any) -> Costs:
    """The costs of a causal language model of transformers where it is now."""
    if model.device.type == "cpu":
        return _PROCESSOR
    memory = _OTHER_MEMORY
    if model.device.type == "cuda":
        memory = torch.cuda.get_device_properties(model.device).total_memory
    config = model.config.get_text_config()
    return Costs(
        pass_tokens=_pass_tokens(model, int(config.num_hidden_layers)),
        prefix_bytes=memory // 128,
        held_bytes=memory // 64,
        line_bytes=memory // 8,
    )


def _pass_tokens(model: Any, layers: int) -> int:
    """A pass takes its time for each layer; a token takes two operations for each weight behind the embeddings."""
    embedded = sum(weight.numel() for weight in model.get_input_embeddings().parameters())
    weights = sum(weight.numel() for weight in model.base_model.parameters()) - embedded
    return max(_LEAST_TOKENS, int(layers * _LAYER_FLOP / (2 * max(weights, 1))))
