"""How many bits a model needs per byte of held-out text, beside a unigram model and gzip.

The tokenizer lower-cases and drops white space, so bytes are those of the text that the tokens decode to,
for all three. Knows no training.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compressors.training.causal.windows import Split

_ROWS = 8
_LOGITS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits per byte of one domain's held-out text."""

    domain: str
    bytes: int
    model: float
    unigram: float
    gzip: float


def measure(domain: str, split: Split, model: Any, tokenizer: Any, *, tokens: int, length: int) -> Bits:
    """Bits per byte over the first `tokens` held-out tokens in windows of `length`, each after [CLS]."""
    ids = split.held_out.ids[:tokens]
    text = tokenizer.decode(ids.tolist(), skip_special_tokens=True).encode()
    bits = 1.0 / (math.log(2.0) * len(text))
    return Bits(
        domain=domain,
        bytes=len(text),
        model=bits * surprise(model, ids, first=tokenizer.cls_token_id, length=length),
        unigram=bits * _unigram(split.training.ids, ids, len(tokenizer)),
        gzip=8.0 * len(gzip.compress(text, 9)) / len(text),
    )


@torch.inference_mode()
def surprise(model: Any, ids: npt.NDArray[np.int32], *, first: int, length: int) -> float:
    """Sum of −log p in nats of all `ids`, cut into windows of `length` that each begin after `first`."""
    total = 0.0
    for windows in _windows(ids, first, length):
        states = model.bert(input_ids=windows[:, :-1], use_cache=False)[0].flatten(0, 1)  # (N, C)
        targets = windows[:, 1:].flatten()  # (N,)
        for start in range(0, len(targets), _LOGITS_AT_ONCE):
            some, answers = (part[start : start + _LOGITS_AT_ONCE] for part in (states, targets))
            logits = model.cls(some).float()  # (n, V)
            total += float(torch.nn.functional.cross_entropy(logits, answers, reduction="sum"))
    return total


def _windows(ids: npt.NDArray[np.int32], first: int, length: int) -> Iterator[torch.Tensor]:
    whole = len(ids) - len(ids) % length
    rows = torch.from_numpy(ids[:whole].astype(np.int64)).view(-1, length)  # (R, T)
    rest = torch.from_numpy(ids[whole:].astype(np.int64))[None]  # (1, t)
    for part in [*torch.split(rows, _ROWS), rest]:
        if part.numel():
            yield torch.cat([torch.full((len(part), 1), first), part], dim=1)  # (r, T + 1)


def _unigram(training: npt.NDArray[np.int32], ids: npt.NDArray[np.int32], vocabulary: int) -> float:
    counts = np.bincount(training, minlength=vocabulary) + 1.0
    return float(-np.log(counts / counts.sum())[ids].sum())
