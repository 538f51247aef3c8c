"""The context-level filter of LLMLingua-2: which whole documents go. Knows scores and costs only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compressors.base import Span
from compressors.scores import quantised
from compressors.words import Mask, Offsets, Words


def document_numbers(words: Words, contexts: Sequence[Span]) -> Offsets:
    """The document each word begins in, -1 for none; `(W,)` int64."""
    if not contexts:
        return np.full(len(words), -1, dtype=np.int64)
    spans = np.array(contexts, dtype=np.int64)  # (D, 2)
    number = np.searchsorted(spans[:, 0], words.starts, side="right") - 1
    return np.where(words.starts < spans[number, 1], number, -1)


def dropped_documents(
    numbers: Offsets, probabilities: npt.NDArray[np.float64], costs: Offsets, share: float
) -> Mask:
    """Which words lie in documents that are dropped; `(W,)` bool.

    Documents stay in the order of their words' mean keep probability until at least `share` of all
    documents' tokens (`costs`, `(W,)`) stays, ties by position.
    """
    inside = numbers >= 0
    if not inside.any() or share >= 1:
        return np.zeros(len(numbers), dtype=np.bool_)
    own = numbers[inside]
    words = np.bincount(own)  # (D,)
    mean = np.bincount(own, weights=probabilities[inside]) / np.maximum(words, 1)
    tokens = np.bincount(own, weights=costs[inside])
    order = np.argsort(-quantised(mean), kind="stable")
    before = np.cumsum(tokens[order]) - tokens[order]  # tokens of all better documents
    dropped = np.zeros(len(words), dtype=np.bool_)
    dropped[order[before >= share * tokens.sum()]] = True
    result: Mask = inside & dropped[numbers]
    return result
