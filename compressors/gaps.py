"""Kept words to kept character ranges: what white space survives. Knows no model, no budget.

Between neighbours that both stay, everything stays. Where words were dropped, exactly one white-space
run of those that lay between survives, the strongest: paragraph > line break > space > nothing. One
exception: no space is put before a closing mark that touched the word before it, so a comma whose word
went follows the last word that stayed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compressors.base import Span
from compressors.characters import FLAGS, NEWLINE, SPACE, code_points
from compressors.words import Mask, Offsets, Words

_CLOSING = code_points(".,;:!?)]")
_NOTHING, _BLANK, _LINE, _PARAGRAPH = range(4)


class Gaps:
    """The white space before, between and after the words of one text."""

    def __init__(self, text: str, words: Words) -> None:
        self._length = len(text)
        self._words = words
        self._starts = np.concatenate(([0], words.ends))  # (W+1,): gap g lies before word g
        self._ends = np.concatenate((words.starts, [len(text)]))
        codes = code_points(text)
        flags = FLAGS[codes]
        breaks = (flags & NEWLINE) != 0
        breaks[:-1] &= ~((codes[:-1] == ord("\r")) & (codes[1:] == ord("\n")))  # CRLF is one line break
        lines = np.concatenate(([0], np.cumsum(breaks)))
        count = lines[self._ends] - lines[self._starts]  # (W+1,) line breaks in each gap
        self._strength = np.where(self._ends > self._starts, _BLANK, _NOTHING) + np.minimum(count, 2)
        self._blank_at_start = (flags[words.starts] & SPACE) != 0  # forced spans may begin with white space
        closing = np.isin(codes, _CLOSING)
        self._closing = closing[words.starts] & closing[words.ends - 1] & (self._strength[:-1] == _NOTHING)
        self._blank_at_end = (flags[words.ends - 1] & SPACE) != 0

    def spans(self, kept: Mask) -> tuple[Span, ...]:
        """The character ranges that stay if the words marked in `kept` (`(W,)` bool) do."""
        chosen = np.flatnonzero(kept)  # (K,)
        if not len(chosen):
            return ()
        starts, ends = self._survivors(chosen)  # (K+1,) each, empty where nothing survives
        pieces = np.empty((2 * len(chosen) + 1, 2), dtype=np.int64)
        pieces[0::2, 0], pieces[0::2, 1] = starts, ends
        pieces[1::2, 0], pieces[1::2, 1] = self._words.starts[chosen], self._words.ends[chosen]
        return _joined(pieces[pieces[:, 0] < pieces[:, 1]])

    def _survivors(self, chosen: Offsets) -> tuple[Offsets, Offsets]:
        """The white space that survives before each chosen word and after the last one."""
        gaps = len(self._starts)
        first = np.concatenate(([0], chosen + 1))  # (K+1,) first gap of each stretch between kept words
        last = np.concatenate((chosen, [gaps - 1]))
        rank = self._strength * gaps + np.arange(gaps)  # the strongest, and the last of those
        best = np.maximum.reduceat(rank, first) % gaps
        dropped = first != last
        best[0] = 0  # nothing separates the edges of the text from words dropped there
        best[-1] = gaps - 1
        starts, ends = self._starts[best], self._ends[best]
        blank = dropped & (self._strength[best] == _BLANK)
        needless = blank & self._needless(chosen)
        starts = np.where(blank, ends - 1, starts)
        return np.where(needless, ends, starts), ends

    def _needless(self, chosen: Offsets) -> Mask:
        """Whether either side of each stretch brings white space of its own or must not have any before it."""
        after = np.concatenate(((self._blank_at_start | self._closing)[chosen], [False]))
        before = np.concatenate(([False], self._blank_at_end[chosen]))
        needless: Mask = before | after
        return needless


def _joined(pieces: npt.NDArray[np.int64]) -> tuple[Span, ...]:
    fresh = np.flatnonzero(np.concatenate(([True], pieces[1:, 0] > pieces[:-1, 1])))
    starts = pieces[fresh, 0].tolist()
    ends = pieces[np.append(fresh[1:] - 1, len(pieces) - 1), 1].tolist()
    return tuple(zip(starts, ends, strict=True))
