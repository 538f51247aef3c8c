"""How rare a word is among the texts at hand. Knows words, nothing of language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import regex  # type: ignore[import-untyped]

_WORD = regex.compile(r"\w+(?:['’.\-]\w+)*")
_MOST_NATS = 14.0
_OFTEN, _LONG = 5, 3


class Rarity:
    """−log of the share of all words that a word makes up, in nats from 0 to 14."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
        self._total = max(self._counts.total(), 1)

    def __call__(self, word: str) -> float:
        """The rarity of `word` in any case; that of a word which is in no text is half an occurrence's."""
        share = (self._counts[word.lower()] + 0.5) / (self._total + 0.5)
        return min(max(-math.log(share), 0.0), _MOST_NATS)

    def frequent(self, most: int) -> list[str]:
        """The words of at least three letters, in lower case, that occur five times or more: the most frequent ones."""
        ranked = self._counts.most_common()
        return [word for word, n in ranked if n >= _OFTEN and len(word) >= _LONG and word.isalpha()][:most]
