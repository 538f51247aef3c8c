"""Cuts a text into words: the units that are kept or dropped as a whole.

Owns where a word starts and ends. Looks only at the characters, so the same text has the same words
under every tokenizer; knows no tokens, no probabilities, no budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex  # type: ignore[import-untyped]

from compressors.base import Span
from compressors.characters import (
    CONNECTOR,
    DIGIT,
    FLAGS,
    SIGIL,
    SIGN,
    SPACE,
    UNIT,
    WORD,
    Codes,
    Flags,
    code_points,
    unspaced,
)
from compressors.phrases import han_language, phrase_starts

Offsets = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_CLUSTERS = regex.compile(r"\X")
_ABBREVIATED = regex.compile(
    r"(?<=\.\p{L})\."  # the last of several: U.S., e.g., p.m.
    r"|(?<=(?<!\w)(?:\p{Lu}|Dr|Mr|Mrs|Ms|St|Mt|Ft|Jr|Sr|Prof|Gen|Col|Lt|Sgt|Rep|Sen|Gov|Rev|Hon|Inc|Ltd|Co|Corp|vs|No))"
    r"\.(?=\s)"
    r"|(?<=\p{L})\.(?= +\p{Ll})"  # no sentence goes on in lower case
)
_STRETCHES = regex.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text: ascending and disjoint; between them is only white space."""

    starts: Offsets
    """Where each begins, in characters; `(W,)` int64."""
    ends: Offsets
    """Where each ends, exclusive; `(W,)` int64."""

    def __len__(self) -> int:
        return len(self.starts)

    def holding(self, characters: Mask) -> Mask:
        """Which words hold at least one of the marked characters (`(len(text),)`); `(W,)` bool."""
        before = np.concatenate(([0], np.cumsum(characters)))  # (N+1,) int64
        held: Mask = before[self.ends] > before[self.starts]
        return held


def split(
    text: str, whole: Sequence[Span] = (), blocks: Sequence[Span] = (), edges: Sequence[int] = ()
) -> Words:
    """The words of `text`.

    A word ends at white space. Punctuation at its edge is a word of its own (a run of equal characters is one),
    punctuation between letters or digits glues (`don't`, `3.14`, `e-mail`), as does the full stop of an abbreviation
    (`Dr.`, `U.S.`); signs and units stay at their number (`-5`, `50%`). Chinese, Japanese and Thai are cut into
    phrases. No grapheme cluster (Unicode Standard Annex #29) is cut.

    Each span of `whole` lies inside one word, together with the words it touches; each span of `blocks`
    is exactly one word. No word reaches across one of the offsets `edges`, unless a block does.
    """
    if not text:
        return Words(np.zeros(0, np.int64), np.zeros(0, np.int64))
    codes = code_points(text)
    flags = FLAGS[codes]
    inner = _bind_clusters(text, flags)  # copies the base character's flags over its cluster
    cut = np.ones(len(text) + 1, dtype=np.bool_)
    cut[1:-1] = _cuts(codes, flags)
    _cut_phrases(text, codes, flags, cut)
    if "." in text:
        cut[[match.start() for match in _ABBREVIATED.finditer(text)]] = False
    cut[:-1][inner] = False
    solid = (flags & SPACE) == 0
    for start, end in whole:
        solid[start:end] = True
        cut[start + 1 : end] = False
    cut[list(edges)] = True
    for start, end in blocks:
        solid[start:end] = True
        cut[start + 1 : end] = False
        cut[[start, end]] = True
    return _between(solid, cut)


def _between(solid: Mask, cut: Mask) -> Words:
    open_before = np.concatenate(([False], solid[:-1]))  # (N,) bool
    open_after = np.concatenate((solid[1:], [False]))
    starts = np.flatnonzero(solid & (cut[:-1] | ~open_before))
    ends = np.flatnonzero(solid & (cut[1:] | ~open_after)) + 1
    return Words(starts.astype(np.int64), ends.astype(np.int64))


def _bind_clusters(text: str, flags: Flags) -> Mask:
    """Give each grapheme cluster the flags of its first character; where a cluster goes on, `(N,)` bool."""
    inner = np.zeros(len(text), dtype=np.bool_)
    if text.isascii():
        return inner
    lengths = np.fromiter(map(len, _CLUSTERS.findall(text)), dtype=np.int64)  # (C,)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    inner[:] = True
    inner[starts] = False
    base = np.repeat(starts, lengths)  # (N,) int64
    bound = np.flatnonzero(inner)
    spaced = bound[((flags[base[bound]] & SPACE) != 0) & ((flags[bound] & SPACE) == 0)]
    flags[bound] = flags[base[bound]]
    flags[spaced] = flags[base[spaced]] = 0  # a mark on a space is no white space
    return inner


def _cuts(codes: Codes, flags: Flags) -> Mask:
    """Whether a word may end between neighbouring characters; `(N-1,)` bool."""

    edged = np.zeros(len(flags) + 2, dtype=flags.dtype)  # a blank on either side, so neighbours always exist
    edged[1:-1] = flags

    def has(flag: int) -> Mask:
        found: Mask = (edged & flag) != 0  # (N+2,)
        return found

    word, digit = has(WORD), has(DIGIT)
    joined = word.copy()
    joined[1:-1] &= ~unspaced(codes)
    inked = ~has(SPACE)[1:-1]
    same = np.concatenate(([False], (codes[1:] == codes[:-1]) & inked[1:], [False]))  # (N+1,): as the last
    here, before, after = slice(1, -1), slice(None, -2), slice(2, None)

    glue = has(CONNECTOR)[here] & joined[before] & joined[after]  # (N,): to both sides
    leads = (has(SIGN)[here] & digit[after]) | (has(SIGIL)[here] & joined[after])
    to_next = glue | (leads & ~word[before] & ~same[:-1])
    to_last = glue | (has(UNIT)[here] & digit[before] & ~word[after])
    held = (word[here][1:] & word[here][:-1]) | same[1:-1] | to_next[:-1] | to_last[1:]
    return ~held


def _cut_phrases(text: str, codes: Codes, flags: Flags, cut: Mask) -> None:
    """Cut runs of unspaced scripts into phrases, in place."""
    dense = unspaced(codes)
    if not dense.any():
        return
    word = (flags & WORD) != 0
    inside = np.zeros(len(cut), dtype=np.bool_)  # between two word characters, one of them unspaced
    inside[1:-1] = word[1:] & word[:-1] & (dense[1:] | dense[:-1])
    starts = np.zeros(len(cut), dtype=np.bool_)
    language = han_language(text, codes)
    first_dense = np.concatenate(([0], np.cumsum(dense)))
    for match in _STRETCHES.finditer(text):
        start, end = match.span()
        if first_dense[end] > first_dense[start]:
            starts[[start + offset for offset in phrase_starts(match[0], language)]] = True
    cut[inside] = starts[inside]
