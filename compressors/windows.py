"""Cuts a text's tokens into what a causal model can read at a time. Knows token places only; no model.

T: tokens of a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from compressors.words import Offsets


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `start` to `end` of a text are read; those from `fresh` on are judged."""

    document: int
    """Place of the document they belong to, -1 for none."""
    start: int
    fresh: int
    end: int


def windows(documents: Offsets, capacity: int, overlap: float) -> list[Window]:
    """Windows of at most `capacity` tokens that judge each token once and never hold two documents.

    Where a document is longer, a window begins with the last `overlap`, a share of `capacity` in [0, 0.5],
    of the tokens before it, so that every token but a document's first ones is judged in context.
    """
    found: list[Window] = []
    edges = np.flatnonzero(np.diff(documents)) + 1
    bounds = [0, *edges.tolist(), len(documents)]
    for low, high in pairwise(bounds):
        if low < high:
            found += _windows(int(documents[low]), low, high, capacity, int(capacity * overlap))
    return found


def _windows(document: int, low: int, high: int, capacity: int, overlap: int) -> Iterator[Window]:
    start, fresh = low, low
    while high - start > capacity:
        yield Window(document, start, fresh, start + capacity)
        fresh = start + capacity
        start = fresh - overlap
    yield Window(document, start, fresh, high)
