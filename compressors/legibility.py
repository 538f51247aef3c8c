"""Which words a model can't read. Knows tokens and characters, but no probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compressors.characters import LETTERS, CharacterTable, code_points, script_table
from compressors.reading import Reading
from compressors.words import Mask, Offsets, Words

_LONGEST = 40
"""Letters that one word adds to the share at most: an unread blob isn't an unread language."""
_ENOUGH_WORDS = 30
"""Plain words that tell a language by the pieces they fall into."""


@dataclass(frozen=True, slots=True)
class Literacy:
    """What a model declares that it reads, under `laconic` in its config.json; nothing limits nothing."""

    scripts: frozenset[str] = frozenset()
    """First words of the Unicode names of its letters, such as LATIN; empty for all."""
    fragmented_share: float = 1.0
    """A text is in another language if more of its letters are in words of three pieces and more."""


class Legibility:
    """Judges words by a model's vocabulary and by what the model declares."""

    def __init__(self, unknown_id: int, literacy: Literacy) -> None:
        self._unknown_id = unknown_id
        self._fragmented_share = literacy.fragmented_share
        self._known: CharacterTable | None = script_table(literacy.scripts) if literacy.scripts else None

    def judge(self, text: str, words: Words, blocks: Mask, reading: Reading) -> tuple[Mask, float]:
        """Which words the model can't read (`(W,)` bool), and their share of the letters, in [0, 1].

        A letter isn't read if its token is unknown, if its script isn't declared, or if its word fell
        into more tokens than characters (byte fallback, Hangul cut into jamo; one token more is let
        pass, because SentencePiece may put a word's space into a token of its own). No letter is read
        if too many words fell into pieces, as German does in an English vocabulary. Words that are
        `blocks` (`(W,)` bool) don't count.
        """
        codes = code_points(text)
        letters = LETTERS[codes] != 0  # (N,)
        unread = np.zeros(len(text), dtype=np.bool_)
        for index in np.flatnonzero(reading.ids == self._unknown_id).tolist():
            unread[reading.starts[index] : reading.ends[index]] = True
        if self._known is not None:
            unread |= self._known[codes] == 0
        sizes = words.ends - words.starts
        tokens = _tokens(words, reading)
        total = _sum(letters, words)
        plain = (total == sizes) & (sizes > 2) & ~blocks
        if _fragmented(tokens[plain], sizes[plain]) > self._fragmented_share:
            return ~blocks, 1.0
        missed = np.where(tokens > sizes + 1, total, _sum(letters & unread, words))
        weight = np.minimum(total, _LONGEST) / np.maximum(total, 1)
        weight[blocks] = 0
        share = float((missed * weight).sum() / max((total * weight).sum(), 1))
        return (missed > 0) & ~blocks, share


def _fragmented(tokens: Offsets, letters: Offsets) -> float:
    """Share of the letters in words of three and more tokens; 0 for too few words."""
    if len(tokens) < _ENOUGH_WORDS:
        return 0.0
    return float(letters[tokens > 2].sum() / letters.sum())


def _tokens(words: Words, reading: Reading) -> Offsets:
    """Number of tokens that begin in each word; `(W,)` int64."""
    visible = reading.ends > reading.starts
    word = np.searchsorted(words.ends, reading.starts[visible], side="right")  # (T,)
    return np.bincount(word, minlength=len(words))[: len(words)]


def _sum(characters: Mask, words: Words) -> npt.NDArray[np.int64]:
    before: Offsets = np.concatenate(([0], np.cumsum(characters)))
    return before[words.ends] - before[words.starts]
