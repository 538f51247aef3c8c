"""Cross-entropy of a causal BERT over a sample of the vocabulary. Knows no data and no steps.

N: tokens, V: vocabulary, C: hidden size, K: candidates.
"""

from __future__ import annotations

import math

import torch
from torch.nn.functional import cross_entropy, linear
from transformers import BertLMHeadModel


def sampled_loss(
    model: BertLMHeadModel, windows: torch.Tensor, candidates: int, chance: torch.Generator
) -> torch.Tensor:
    """Mean −log p in nats of `windows[:, 1:]`, with the softmax taken over K tokens of the vocabulary.

    The K are all tokens of the batch and others drawn evenly; each drawn one stands for as many as were
    left out, so that the sum of the softmax is right on average (importance sampling). `windows` is
    `(B, T + 1)` int64.
    """
    states = model.bert(input_ids=windows[:, :-1], use_cache=False)[0].flatten(0, 1)  # (N, C)
    head = model.cls.predictions
    tokens, targets, stands_for = _candidates(windows[:, 1:], head.bias.shape[0], candidates, chance)
    matrix = model.bert.embeddings.word_embeddings.weight[tokens]  # (K, C)
    logits = linear(head.transform(states), matrix).float()  # (N, K)
    return cross_entropy(logits + (head.bias[tokens].float() + stands_for), targets)


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
    return torch.cat([present, drawn]), places.flatten(), stands_for
