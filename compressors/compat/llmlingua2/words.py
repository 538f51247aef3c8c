"""Words, their probabilities and their selection exactly as `llmlingua` 0.2.2 makes them.

Owns the package's rules, its oddities included: they are what parity means. Knows tokens and
probabilities, but no model and no text.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from compressors.encoder import Probabilities

Layout = Literal["wordpiece", "sentencepiece"]
"""How a vocabulary marks where a word goes on (`##`) or begins (`▁`)."""
Probability = float | np.float32
"""The package mixes both; which one it is decides the precision of its thresholds."""


@dataclass(slots=True)
class PackageWord:
    """Tokens that the package keeps or drops together."""

    text: str
    """The pieces joined; the first keeps its marker."""
    first: int
    """Place of its first token in the chunk."""
    last: int
    """Place of its last token in the chunk."""
    probabilities: list[Probability]
    """One a token; 1.0 where it is forced."""
    unforced: np.float32
    """The first token's own probability."""

    def probability(self, how: Literal["mean", "first"]) -> Probability:
        """What decides whether the word stays."""
        values = self.probabilities
        return values[0] if how == "first" else sum(values) / len(values)

    def context_probability(self, how: Literal["mean", "first"]) -> Probability:
        """What the word adds to its context's score: the first token's, once for each token."""
        values = [self.unforced] * len(self.probabilities)
        return values[0] if how == "first" else sum(values) / len(values)


@dataclass(frozen=True, slots=True)
class _Piece:
    skipped: bool
    begins: bool
    text: str
    forced: bool


@dataclass(slots=True)
class Merger:
    """Joins tokens to words. `placeholders` maps force tokens of several pieces to their stand-ins."""

    layout: Layout
    special_tokens: frozenset[str]
    force_tokens: Sequence[str]
    placeholders: dict[str, str]
    reserve_digits: bool
    _pieces: dict[str, _Piece] = field(default_factory=dict)

    def merge(self, tokens: Sequence[str], probabilities: Probabilities) -> list[PackageWord]:
        """The words of a chunk, from its tokens and their keep probabilities (`(L,)`)."""
        words: list[PackageWord] = []
        for place, (token, probability) in enumerate(zip(tokens, probabilities, strict=True)):
            piece = self._pieces.get(token)
            if piece is None:
                piece = self._pieces[token] = self._piece(token)
            if piece.skipped:
                continue
            value: Probability = 1.0 if piece.forced else probability
            if piece.begins or not words:  # the package fails where a chunk begins within a word
                words.append(PackageWord(piece.text, place, place, [value], probability))
            else:
                words[-1].text += piece.text
                words[-1].last = place
                words[-1].probabilities.append(value)
        return words

    def shown(self, word: PackageWord) -> str:
        """The word as the package's word labels spell it."""
        return word.text.lstrip("▁") if self.layout == "sentencepiece" else word.text

    def _piece(self, token: str) -> _Piece:
        marker = "#" if self.layout == "wordpiece" else "▁"
        pure = token.lstrip(marker)
        stand_ins = self.placeholders.values()
        if self.layout == "wordpiece":
            begins = pure in self.force_tokens or pure in stand_ins or not token.startswith("##")
        else:
            # a substring test, as in the package: "" and "+," count as punctuation
            begins = token in string.punctuation or token in self.force_tokens or token in stand_ins
            begins = begins or token.startswith("▁")
        digits = self.reserve_digits
        if not begins:
            return _Piece(token in self.special_tokens, False, pure, digits and _has_digit(token))
        text = token
        for original, stand_in in self.placeholders.items():
            text = text.replace(stand_in, original)
        forced = pure in self.force_tokens or pure in stand_ins or (digits and _has_digit(text))
        return _Piece(token in self.special_tokens, True, text, forced)


def _has_digit(text: str) -> bool:
    return re.search(r"\d", text) is not None


def select(
    words: Sequence[PackageWord],
    how: Literal["mean", "first"],
    reduce_rate: float,
    consecutive: Sequence[str] | None,
    count: Callable[[str], int],
) -> list[int]:
    """1 for each word of a chunk that stays, else 0.

    Words above a percentile of the words' probabilities, each weighted by its tokens (`count`), stay.
    Equal neighbours among the force tokens `consecutive` are dropped, unless it is None.
    """
    values = [word.probability(how) for word in words]
    if not values:
        return []
    if consecutive is not None:
        _silence_repeats(words, values, consecutive, reduce_rate)
    weights = np.repeat(np.array(values), [count(word.text) for word in words])
    percent = min(int(100 * reduce_rate + 1), 100)  # the package fails at rate 0, with 101
    threshold: float | np.floating = np.percentile(weights, percent) if len(weights) else np.inf
    labels: list[int] = []
    last_kept = None
    for word, value in zip(words, values, strict=True):
        stays = bool(value > threshold or (threshold == 1.0 and value == threshold))
        if stays and consecutive is not None and word.text in consecutive and word.text == last_kept:
            stays = False
        if stays:
            last_kept = word.text
        labels.append(int(stays))
    return labels


def _silence_repeats(
    words: Sequence[PackageWord],
    values: list[Probability],
    force_tokens: Sequence[str],
    reduce_rate: float,
) -> None:
    threshold = np.percentile(np.array(values), min(int(100 * reduce_rate), 100))
    between = False
    previous = None
    for place, word in enumerate(words):
        if word.text not in force_tokens:
            between = between or bool(values[place] > threshold)
            continue
        if between:
            between = False
        elif word.text == previous:
            values[place] = 0.0
        previous = word.text
