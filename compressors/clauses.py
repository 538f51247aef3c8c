"""Punctuation follows the words it belongs to. Knows words and scores, but no model and no budget."""

from __future__ import annotations

import unicodedata

import numpy as np

from compressors.characters import FLAGS, NEWLINE, SPACE, CharacterTable, Flags, code_points
from compressors.scores import LOWEST, Scores
from compressors.words import Mask, Offsets, Words

_MARK, _OPENING = 1, 2


def _kinds(char: str) -> int:
    category = unicodedata.category(char)
    punctuation = category[0] == "P" or category in ("Sm", "Sk")  # emoji and currencies say something alone
    return _MARK * punctuation | _OPENING * (category in ("Ps", "Pi"))


_KINDS = CharacterTable(_kinds)


def tied_to_clauses(scores: Scores, text: str, words: Words, staying: Mask) -> Scores:
    """`scores` with each mark, a word of punctuation alone, below the best word of its clause.

    Then a mark stays only if such a word does, under every budget: no `. , ?` stand alone where all words
    between them went. The clause of a mark is what precedes it, back to the mark before or the line's
    start; that of an opening mark, and of one that begins its line, is what follows. Words that are
    `staying` anyway (`(W,)` bool) count as the best. `(W,)` int64.
    """
    codes = code_points(text)
    flags, kinds = FLAGS[codes], _KINDS[codes]
    inked = (flags & SPACE) == 0
    content = words.holding(inked & ((kinds & _MARK) == 0))
    marks = words.holding(inked) & ~content
    if not marks.any() or not content.any():
        return scores
    line = np.cumsum((flags & NEWLINE) != 0)[words.starts]  # (W,): line breaks up to each word
    begins = np.concatenate(([True], line[1:] != line[:-1]))  # (W,): first word of its line
    starts = begins | np.concatenate(([False], marks[:-1]))  # (W,): first word of its clause
    first, clause = np.flatnonzero(starts), np.cumsum(starts) - 1  # (C,), (W,)
    ranks = np.where(staying, -LOWEST, scores)
    best = np.maximum.reduceat(np.where(content, ranks, LOWEST - 1), first)  # (C,)
    before, after = _nearest(best >= LOWEST)

    own = before[clause]
    astray = (own < 0) | (line[first[own]] != line)  # nothing precedes it in its line
    forward = astray | _opening(kinds, words)
    source = np.where(forward, after[clause + 1], own)  # (W,): the clause that decides, -1 for none
    caps = np.where(source >= 0, best[source], LOWEST) - 1
    return np.where(marks, np.minimum(scores, caps), scores)


def _opening(kinds: Flags, words: Words) -> Mask:
    """Words that begin with an opening bracket or quote, or touch the next word but not the last."""
    touching = np.concatenate(([False], words.starts[1:] == words.ends[:-1], [False]))  # (W+1,)
    opening: Mask = ((kinds[words.starts] & _OPENING) != 0) | (touching[1:] & ~touching[:-1])
    return opening


def _nearest(full: Mask) -> tuple[Offsets, Offsets]:
    """The nearest full place at or before each, and at or after each and the end; -1 where there is none."""
    places = np.arange(len(full))
    before = np.maximum.accumulate(np.where(full, places, -1))
    after = np.minimum.accumulate(np.where(full, places, len(full))[::-1])[::-1]
    return before, np.append(np.where(after == len(full), -1, after), -1)
