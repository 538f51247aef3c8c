"""Cuts a text into sentences. Owns where one ends; knows no tokens, no scores, no budget."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import pairwise

import regex  # type: ignore[import-untyped]
from sentencex import get_sentence_boundaries  # type: ignore[import-untyped]

from compressors.base import Span
from compressors.characters import well_formed

_WINDOW = 2048
"""Characters shown to the library at a time; its time grows with the square of a paragraph's sentences."""
_PLAIN_SPACES = {code: " " for code in range(0x80, 0x3001) if chr(code).isspace()}
"""The library can panic beside white space that isn't ASCII."""
_INK = regex.compile(r"\S")
_ITEM = regex.compile(r"\n[^\S\n]*(?=(?:[-*+•|]|#{1,6}|\d{1,3}[.)])[ \t])")
"""What precedes a list item, a heading or a table's row."""
_INSIDE = regex.compile(
    r"""
      (?<=[.?!]) (?=[\x00-\u2fff])                                        # obj.Method, J.-C., /?q=1
    | (?<= (?<!\w) (?:\p{L}{1,4}|approx) \. \s+ ) (?=[\p{Ll}\p{Nd}])      # z. B. gut, Vol. 3
    | (?<= (?<!\w) (?![A-z]) [\p{Lu}\p{Ll}] \. \s+ )                      # А. С. Пушкин; English is known
    | (?=[\p{M}\p{Cf}])                                                   # belongs to what precedes
    """,
    regex.VERBOSE,
)
"""Matches where the library sees a sentence start, but should not."""


def sentences(text: str, language: str = "en") -> list[Span]:
    """The sentences of `text`: ascending spans that cover it without gaps; none for an empty text.

    White space belongs to the sentence before it, at the text's beginning to the first. List items,
    headings and table rows are sentences too. In doubt two sentences stay one. `language`, an ISO 639-1
    code, only says whose abbreviations are known; any text can be cut.
    """
    if not text:
        return []
    shown = well_formed(text).translate(_PLAIN_SPACES)
    return list(pairwise([0, *_starts(shown, language), len(text)]))


def _starts(shown: str, language: str) -> Iterator[int]:
    """Where the second and later sentences start, ascending."""
    item_starts = {match.end() for match in _ITEM.finditer(shown)}
    last = len(shown) - len(shown.lstrip())
    for end in merge(_ends(shown, language), sorted(item_starts)):
        ink = _INK.search(shown, end) if end > last else None
        if ink is None:
            continue
        last = ink.start()
        if last in item_starts or not _INSIDE.match(shown, last):
            yield last


def _ends(shown: str, language: str) -> Iterator[int]:
    """Where the library ends sentences, ascending; the text's own end is left out.

    The last sentence of a window may go on beyond it, so the next window starts with that sentence.
    """
    start = 0
    while start < len(shown):
        window = shown[start : start + _WINDOW]
        *ends, _ = [start + found["end_index"] for found in get_sentence_boundaries(language, window)]
        yield from ends
        start = ends[-1] if ends and start + _WINDOW < len(shown) else start + _WINDOW
