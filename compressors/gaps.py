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
from compressors.characters import FLAGS, NEWLINE, SPACE, CharacterTable, code_points
from compressors.words import Mask, Offsets, Words

_CLOSING = CharacterTable(lambda char: char in ".,;:!?)]")
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
        closing = _CLOSING[codes] != 0
        self._closing = closing[words.starts] & closing[words.ends - 1] & (self._strength[:-1] == _NOTHING)
        space = (flags & SPACE) != 0  # blocks and forced spans may begin and end with white space
        self._at_start, self._at_end = np.zeros((2, len(words)), dtype=np.int64)  # strengths
        for word in np.flatnonzero(space[words.starts] | space[words.ends - 1]).tolist():
            start, end = int(words.starts[word]), int(words.ends[word])
            inner = start + len(text[start:end]) - len(text[start:end].lstrip())
            outer = start + len(text[start:end].rstrip())
            self._at_start[word] = (inner > start) * _BLANK + min(lines[inner] - lines[start], 2)
            self._at_end[word] = (end > outer) * _BLANK + min(lines[end] - lines[outer], 2)

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
        starts, ends, strength = self._starts[best], self._ends[best], self._strength[best]
        blank = dropped & (strength == _BLANK)
        needless = dropped & (strength <= self._brought(chosen))
        starts = np.where(blank, ends - 1, starts)
        return np.where(needless, ends, starts), ends

    def _brought(self, chosen: Offsets) -> Offsets:
        """The strength of the white space that either side of each stretch brings or, before a mark, forbids."""
        after = np.maximum(self._at_start, self._closing * _BLANK)[chosen]
        before = np.concatenate(([_NOTHING], self._at_end[chosen]))
        brought: Offsets = np.maximum(np.concatenate((after, [_NOTHING])), before)
        return brought


def _joined(pieces: npt.NDArray[np.int64]) -> tuple[Span, ...]:
    fresh = np.flatnonzero(np.concatenate(([True], pieces[1:, 0] > pieces[:-1, 1])))
    starts = pieces[fresh, 0].tolist()
    ends = pieces[np.append(fresh[1:] - 1, len(pieces) - 1), 1].tolist()
    return tuple(zip(starts, ends, strict=True))
