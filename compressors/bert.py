"""BERT-like encoders over one flat row of tokens: no padding, few kernels.

Owns the forward pass of the architectures it knows (BERT, RoBERTa, XLM-RoBERTa), from transformers' weights. Knows no
batches and no precision: what a linear layer is made of comes from `linear`, attention from `attention`.
N: tokens of all sequences, C: size of a state, I: size between the two layers of a feed-forward block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional
from transformers import (
    BertForTokenClassification,
    BertModel,
    RobertaForTokenClassification,
    XLMRobertaForTokenClassification,
)

from compressors.attention import STEP, Attention, Lengths
from compressors.linear import Make

_FIRST_POSITION: dict[type, Callable[[Any], int]] = {
    BertModel: lambda _: 0,
    BertForTokenClassification: lambda _: 0,
    RobertaForTokenClassification: lambda config: config.pad_token_id + 1,
    XLMRobertaForTokenClassification: lambda config: config.pad_token_id + 1,
}
"""The position of a sequence's first token."""


def is_known(model: Any) -> bool:
    """Whether `Bert` computes what `model` does."""
    if type(model) not in _FIRST_POSITION:
        return False
    config = model.config
    plain = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    heads_fit = config.hidden_size // config.num_attention_heads % 8 == 0  # what flash attention takes
    layers = [part for part in model.base_model.encoder.modules() if hasattr(part, "in_features")]
    is_dense = all(type(layer) is torch.nn.Linear for layer in layers)  # not so in quantised checkpoints
    return plain and heads_fit and is_dense and config.hidden_act == "gelu" and not config.is_decoder


class Bert:
    """The model's layers with weights laid out for speed; the same numbers but for rounding.

    `make` builds its linear layers. Raises `KeyError` for a model that isn't known.
    """

    def __init__(self, model: Any, make: Make) -> None:
        config, body = model.config, model.base_model
        embeddings = body.embeddings
        self._heads: int = config.num_attention_heads
        self._words = embeddings.word_embeddings.weight
        first = _FIRST_POSITION[type(model)](config)
        first_type = embeddings.token_type_embeddings.weight[0]  # that of every token
        self.positions = embeddings.position_embeddings.weight[first:] + first_type
        """What is added at each place of a sequence; `(longest sequence, C)`."""
        self._norm = _norm(embeddings.LayerNorm)
        size = config.hidden_size // self._heads
        attention = Attention(self._words.device, self._words.dtype, self._heads, size)
        self._layers = [_Layer(layer, self._heads, make, attention) for layer in body.encoder.layer]
        self._labels = getattr(model, "classifier", None)

    def states(self, ids: torch.Tensor, positions: torch.Tensor, lengths: Lengths) -> torch.Tensor:
        """Of sequences one after another: `ids` and `positions` in them (`(N,)` int64), `lengths`; `(N, C)`."""
        count = len(ids)
        if ids.device.type == "cpu":
            ids, positions = (functional.pad(row, (0, -count % STEP)) for row in (ids, positions))
        states = self._norm(self._words[ids] + self.positions[positions])
        for layer in self._layers:
            states = layer(states, lengths)
        return states[:count]

    def logits(self, ids: torch.Tensor, positions: torch.Tensor, lengths: Lengths) -> torch.Tensor:
        """What a classifier makes of the `states`; `(N, labels)`."""
        assert self._labels is not None
        logits: torch.Tensor = self._labels(self.states(ids, positions, lengths))
        return logits


class _Layer:
    def __init__(self, layer: Any, heads: int, make: Make, attention: Attention) -> None:
        own, out = layer.attention.self, layer.attention.output
        self._heads, self._attention = heads, attention
        self._inputs = make(
            torch.cat([part.weight for part in (own.query, own.key, own.value)]),
            torch.cat([part.bias for part in (own.query, own.key, own.value)]),
            gelu=False,
        )
        self._mixed = make(out.dense.weight, out.dense.bias, gelu=False)
        self._mixed_norm = _norm(out.LayerNorm)
        self._wide = make(layer.intermediate.dense.weight, layer.intermediate.dense.bias, gelu=True)
        self._narrow = make(layer.output.dense.weight, layer.output.dense.bias, gelu=False)
        self._norm = _norm(layer.output.LayerNorm)

    def __call__(self, states: torch.Tensor, lengths: Lengths) -> torch.Tensor:
        inputs = self._inputs(states).view(len(states), 3, self._heads, -1)  # (N, 3, heads, C / heads)
        queries, keys, values = inputs.unbind(1)
        mixed = self._attention(queries, keys, values, lengths).flatten(1)  # (N, C)
        states = self._mixed_norm(self._mixed(mixed).add_(states))
        return self._norm(self._narrow(self._wide(states)).add_(states))


def _norm(module: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    shape: Sequence[int] = tuple(module.normalized_shape)
    weight, bias, epsilon = module.weight, module.bias, module.eps
    return lambda states: functional.layer_norm(states, shape, weight, bias, epsilon)
