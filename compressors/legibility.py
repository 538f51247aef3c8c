"""Which words a model can't read. Knows tokens and characters, but no probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compressors.characters import LETTERS, CharacterTable, code_points, script_table
from compressors.reading import Reading
from compressors.words import Mask, Offsets, Words

_LONGEST = 40
"""Letters that one word adds to the share at most: an unread blob isn't an unread language."""


class Legibility:
    """Judges words by a model's vocabulary and by the scripts that it declares (all, if it declares none)."""

    def __init__(self, unknown_id: int, scripts: frozenset[str]) -> None:
        self._unknown_id = unknown_id
        self._known: CharacterTable | None = script_table(scripts) if scripts else None

    def judge(self, text: str, words: Words, blocks: Mask, reading: Reading) -> tuple[Mask, float]:
        """Which words the model can't read (`(W,)` bool), and their share of the letters, in [0, 1].

        A letter isn't read if its token is unknown, if its script isn't declared, or if its word fell
        into more tokens than characters (byte fallback, Hangul cut into jamo; one token more is let
        pass, because SentencePiece may put a word's space into a token of its own). Words that are
        `blocks` (`(W,)` bool) don't count.
        """
        codes = code_points(text)
        letters = LETTERS[codes] != 0  # (N,)
        unread = np.zeros(len(text), dtype=np.bool_)
        for index in np.flatnonzero(reading.ids == self._unknown_id).tolist():
            unread[reading.starts[index] : reading.ends[index]] = True
        if self._known is not None:
            unread |= self._known[codes] == 0
        total = _sum(letters, words)
        missed = np.where(_shattered(words, reading), total, _sum(letters & unread, words))
        weight = np.minimum(total, _LONGEST) / np.maximum(total, 1)
        weight[blocks] = 0
        share = float((missed * weight).sum() / max((total * weight).sum(), 1))
        return (missed > 0) & ~blocks, share


def _shattered(words: Words, reading: Reading) -> Mask:
    visible = reading.ends > reading.starts
    word = np.searchsorted(words.ends, reading.starts[visible], side="right")  # (T,)
    tokens = np.bincount(word, minlength=len(words))[: len(words)]
    shattered: Mask = tokens > words.ends - words.starts + 1
    return shattered


def _sum(characters: Mask, words: Words) -> npt.NDArray[np.int64]:
    before: Offsets = np.concatenate(([0], np.cumsum(characters)))
    return before[words.ends] - before[words.starts]
