"""What has to stay: force tokens and repeated ones. Knows no probabilities, no tokens of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from compressors.base import Span
from compressors.characters import code_points, unspaced
from compressors.words import Mask, Offsets, Words


def occurrences(text: str, force_tokens: Sequence[str]) -> list[tuple[Span, int]]:
    """Where each force token stands in `text`, with its place in the list, counted from 1.

    A token that begins or ends with a letter or digit has to begin or end a word there.
    """
    ordered = sorted({token for token in force_tokens if token}, key=len, reverse=True)
    if not ordered:
        return []
    pattern = re.compile("|".join(f"({_bounded(token)})" for token in ordered))
    return [(match.span(), match.lastindex or 0) for match in pattern.finditer(text)]


def marked(text: str, spans: Iterable[Span]) -> Mask:
    """The characters that lie in one of `spans`; `(len(text),)` bool."""
    found = np.zeros(len(text), dtype=np.bool_)
    for start, end in spans:
        found[start:end] = True
    return found


def _bounded(token: str) -> str:
    opens, closes = (char.isalnum() and not unspaced(code_points(char))[0] for char in (token[0], token[-1]))
    return (r"(?<!\w)" if opens else "") + re.escape(token) + (r"(?!\w)" if closes else "")


def repeatable(words: Words, found: Sequence[tuple[Span, int]]) -> Offsets:
    """For each word that is nothing but a force token its number, else 0; `(W,)` int64."""
    numbers = np.zeros(len(words), dtype=np.int64)
    if found and len(words):
        spans = np.array([span for span, _ in found])  # (F, 2)
        index = np.minimum(np.searchsorted(words.starts, spans[:, 0]), len(words) - 1)
        exact = (words.starts[index] == spans[:, 0]) & (words.ends[index] == spans[:, 1])
        numbers[index[exact]] = np.array([number for _, number in found])[exact]
    return numbers


def without_repeats(kept: Mask, numbers: Offsets) -> Mask:
    """`kept` less each force token that follows an equal one with nothing kept between them."""
    chosen = np.flatnonzero(kept)
    row = numbers[chosen]
    again = np.concatenate(([False], (row[1:] == row[:-1]) & (row[1:] > 0)))[: len(row)]
    thinned = kept.copy()
    thinned[chosen[again]] = False
    return thinned
