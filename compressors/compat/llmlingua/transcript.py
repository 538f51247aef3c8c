"""A changing sequence of tokens under a causal model: what follows the first change is read again.

Owns what was read and how surprising it was. Knows no thresholds.
"""

from __future__ import annotations

import numpy as np

from compressors.causal import Causal, Surprisals
from compressors.reading import TokenIds


class Transcript:
    """Tokens that a model has read, with their surprises."""

    def __init__(self, causal: Causal) -> None:
        self._causal = causal
        self._stream = causal.stream()
        self._ids: TokenIds = np.zeros(0, np.int64)
        self._surprises: Surprisals = np.zeros(0, np.float32)
        """Of each token after the first."""

    def surprises(self, ids: TokenIds, start: int) -> Surprisals:
        """Nats of each token of `ids` after the one at `start`; `(T - start - 1,)` float32.

        The tokens before `start` must be those of the last call, or those that `forget` left.
        """
        same = self._same(ids)
        if same < len(ids):
            fresh = max(start, same - 1)
            self._stream.rewind(fresh)
            states = self._stream.read(ids[fresh:])  # (L-1, C), L with the very first token
            targets = ids[fresh + 1 :]
            [found] = self._causal.surprisals([states[len(states) - len(targets) :]], [targets])
            self._surprises = np.concatenate((self._surprises[:fresh], found))
            self._ids = ids
        return self._surprises[start : max(len(ids) - 1, start)]

    def forget(self, ids: TokenIds, length: int, first: int, count: int) -> None:
        """Keep the first `length` tokens' past without `count` of them from `first` on.

        From now on that stands for the beginning of `ids`, whatever was read; its surprises are lost.
        """
        self._stream.rewind(length)
        self._stream.drop(first, count)
        left = self._stream.length
        self._ids = ids[:left]
        self._surprises = np.zeros(left, np.float32)

    def _same(self, ids: TokenIds) -> int:
        """The number of leading tokens of `ids` that were read."""
        shared = min(len(ids), len(self._ids))
        differ = np.flatnonzero(ids[:shared] != self._ids[:shared])
        return int(differ[0]) if len(differ) else shared
