"""What makes two words forms of one: case, typographic marks, inflection. Knows no positions."""

from __future__ import annotations

import functools
from collections.abc import Callable

from compressors.errors import CompressionError

WITHOUT_STEMS = "none"
_MARKS = str.maketrans("\u2018\u2019\u201c\u201d\u2010\u2011\u2013\u2014", "''\"\"----")


class Forms:
    """Compares words of one language."""

    def __init__(self, language: str = "english") -> None:
        """`language` names a stemmer of Snowball, such as `german`; `none` tells inflected forms apart.

        Stems come from endings, so `decided` is `decide`, but `went` isn't `go`. Raises `CompressionError` for
        an unknown language.
        """
        self._stem = functools.lru_cache(maxsize=100_000)(_stemmer(language))

    def folded(self, word: str) -> str:
        """`word` in lower case and with plain quotes and dashes."""
        return word.translate(_MARKS).casefold()

    def stem(self, word: str) -> str:
        """What all forms of `word` have in common."""
        return self._stem(self.folded(word))

    def likeness(self, word: str, other: str) -> int:
        """3 for the same characters, 2 if only case and marks differ, 1 for the same stem, 0 for other words."""
        if word == other:
            return 3
        if self.folded(word) == self.folded(other):
            return 2
        return int(self.stem(word) == self.stem(other))


def _stemmer(language: str) -> Callable[[str], str]:
    if language == WITHOUT_STEMS:
        return str
    import snowballstemmer  # type: ignore[import-untyped]

    if language not in snowballstemmer.algorithms():
        allowed = ", ".join((WITHOUT_STEMS, *snowballstemmer.algorithms()))
        raise CompressionError(f"unknown language {language!r}; allowed: {allowed}")
    stem: Callable[[str], str] = snowballstemmer.stemmer(language).stemWord
    return stem
