"""Cuts a text into chunks that an LLM shortens one at a time. Owns where one ends; knows no words, no models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compressors.base import Span
from compressors.sentences import sentences

Count = Callable[[str], int]
"""Tokens of a text."""


def chunks(text: str, most_tokens: int, count: Count) -> list[Span]:
    """Spans of at most `most_tokens` tokens that end where a sentence or a line does; only white space lies between.

    A longer sentence is cut at the white space nearest to its middle, again and again.
    """
    found: list[Span] = []
    room = at = 0
    for start, end in _pieces(text, most_tokens, count):
        tokens = count(text[at:end])
        if tokens <= room:
            found[-1] = (found[-1][0], end)
            room -= tokens
        else:
            found.append((start, end))
            room = most_tokens - tokens
        at = end
    # Tokens of pieces needn't add up to those of the whole.
    return [fitting for span in found for fitting in _fitting(text, span, most_tokens, count)]


def _pieces(text: str, most_tokens: int, count: Count) -> Iterator[Span]:
    """Sentences and lines of `text`, without the white space between them."""
    at = 0
    for start, end in sentences(text):
        for line in text[start:end].splitlines(keepends=True):
            yield from _fitting(text, (at, at + len(line)), most_tokens, count)
            at += len(line)


def _fitting(text: str, span: Span, most_tokens: int, count: Count) -> Iterator[Span]:
    """The span without white space at its ends, in halves if it is too long; a character is never cut."""
    whole = text[slice(*span)]
    start = span[0] + len(whole) - len(whole.lstrip())
    part = whole.strip()
    if len(part) <= 1 or count(part) <= most_tokens:
        if part:
            yield start, start + len(part)
        return
    middle = start + _middle(part)
    yield from _fitting(text, (start, middle), most_tokens, count)
    yield from _fitting(text, (middle, start + len(part)), most_tokens, count)


def _middle(part: str) -> int:
    """The white space nearest to the middle, or the middle itself."""
    middle = len(part) // 2
    spaces = (at for at, character in enumerate(part) if character.isspace())
    return min(spaces, key=lambda at: abs(at - middle), default=middle)
