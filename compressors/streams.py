"""Sequences that are read piece by piece, for one caller who may touch the model.

Owns what of a sequence the model remembers. Knows token ids, but no batches.
L: tokens of a piece, C: size of a state.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from compressors.cache import Past
from compressors.reading import TokenIds
from compressors.units import States


class Stream:
    """One sequence, read piece by piece and taken back from the end.

    `read` gives the states after each of some tokens behind a past, `(L, C)`, and adds them to it.
    """

    def __init__(self, read: Callable[[TokenIds, Past], States]) -> None:
        self._read = read
        self._past = Past()
        self._last: torch.Tensor | None = None

    @property
    def length(self) -> int:
        """Tokens read so far."""
        return self._past.length

    def read(self, ids: TokenIds) -> States:
        """The states before each of the next tokens, `(L, C)`; `(L-1, C)` for the first piece."""
        states = self._read(ids, self._past)  # (L, C)
        before = states[:-1] if self._last is None else torch.cat((self._last, states[:-1]))
        self._last = states[-1:]
        return before

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` tokens; the first token read next has no state before it."""
        if length < self.length:
            self._past.keep(length)
            self._last = None

    def drop(self, first: int, count: int) -> None:
        """Forget `count` tokens from place `first` on, but not what later ones have seen of them.

        What is read next takes the places after those that are left; it has no state before it.
        """
        self._past.drop(first, count)
        self._last = None
