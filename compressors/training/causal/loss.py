"""Cross-entropy of a causal model, over its whole vocabulary or a sample of it. Knows no data and no steps.

B: sequences, T: tokens of each, N: tokens that are learned, V: vocabulary, C: hidden size, K: candidates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear
from transformers import BertLMHeadModel

IGNORED = -100
"""A target that is not learned."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences to learn from. They are padded on the right, where causal attention never looks."""

    inputs: torch.Tensor
    """`(B, T)` int64."""
    targets: torch.Tensor
    """What follows each input, or `IGNORED`; `(B, T)` int64."""

    @property
    def tokens(self) -> int:
        """Those that are learned."""
        return int((self.targets != IGNORED).sum())

    def to(self, device: torch.device) -> Batch:
        """The same on `device`."""
        return Batch(self.inputs.to(device), self.targets.to(device))


Loss = Callable[[Any, Batch, torch.Generator], torch.Tensor]
"""The sum of −log p of a batch's targets in nats; float32."""


def choose_loss(model: Any, candidates: int) -> Loss:
    """The sampled loss with `candidates` tokens where it saves time (BERT on a CPU), else the full one."""
    cheap = isinstance(model, BertLMHeadModel) and model.device.type == "cpu"
    if cheap and 0 < candidates < model.config.vocab_size:
        return partial(sampled_loss, candidates=candidates)
    return full_loss


def full_loss(model: Any, batch: Batch, chance: torch.Generator | None = None) -> torch.Tensor:
    """The loss over the whole vocabulary; nothing in it is left to chance."""
    logits = model(input_ids=batch.inputs, use_cache=False).logits  # (B, T, V)
    learned = batch.targets != IGNORED
    return cross_entropy(logits[learned].float(), batch.targets[learned], reduction="sum")


def sampled_loss(
    model: BertLMHeadModel, batch: Batch, chance: torch.Generator, *, candidates: int
) -> torch.Tensor:
    """The loss with the softmax taken over K tokens of the vocabulary.

    The K are all targets of the batch and others drawn evenly; each drawn one stands for as many as were
    left out, so that the sum of the softmax is right on average (importance sampling).
    """
    states = model.bert(input_ids=batch.inputs, use_cache=False)[0]  # (B, T, C)
    learned = batch.targets != IGNORED
    head = model.cls.predictions
    tokens, places, stands_for = _candidates(batch.targets[learned], head.bias.shape[0], candidates, chance)
    matrix = model.bert.embeddings.word_embeddings.weight[tokens]  # (K, C)
    logits = linear(head.transform(states[learned]), matrix).float()  # (N, K)
    return cross_entropy(logits + (head.bias[tokens].float() + stands_for), places, reduction="sum")


def _candidates(
    targets: torch.Tensor, vocabulary: int, count: int, chance: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Candidate tokens `(K,)`, places of the targets among them `(N,)`, log of what each stands for `(K,)`."""
    present, places = torch.unique(targets, return_inverse=True)
    absent = torch.ones(vocabulary, dtype=torch.bool).index_fill_(0, present, False).nonzero()[:, 0]
    drawn = absent[torch.randperm(len(absent), generator=chance)[: max(count - len(present), 1)]]
    stands_for = torch.zeros(len(present) + len(drawn))  # (K,)
    if len(drawn):
        stands_for[len(present) :] = math.log(len(absent) / len(drawn))
    return torch.cat([present, drawn]), places, stands_for
