"""Punctuation follows the words it belongs to. Knows words and scores, but no model and no budget."""

from __future__ import annotations

import numpy as np

from compressors.characters import FLAGS, SPACE, WORD, code_points
from compressors.scores import LOWEST, Scores
from compressors.words import Mask, Offsets, Words

_OPENING = code_points("([{<«“‘„‚「『（【《")


def tied_to_clauses(scores: Scores, text: str, words: Words) -> Scores:
    """`scores` with each mark, a word of punctuation alone, just below the best word of its clause.

    Then a mark stays only if such a word does, under every budget: no `. , ?` stand alone where all words
    between them went. The clause of a mark is what precedes it, back to the mark before or the line's start;
    that of an opening mark, and of one that begins its line, is what follows. `(W,)` int64.
    """
    codes = code_points(text)
    flags = FLAGS[codes]
    lettered = words.holding((flags & WORD) != 0)
    marks = ~lettered & words.holding((flags & (WORD | SPACE)) == 0)
    if not marks.any():
        return scores
    breaks = np.concatenate(([0], np.cumsum(codes == ord("\n"))))  # (N+1,): line breaks before each character
    line = breaks[words.starts]
    begins = np.concatenate(([True], line[1:] != line[:-1]))  # (W,): first word of its line
    first = np.flatnonzero(begins | np.concatenate(([False], marks[:-1])))  # (C,): first word of each clause
    best = np.maximum.reduceat(np.where(lettered, scores, LOWEST), first)
    before, after = _nearest(best > LOWEST)
    clause = np.searchsorted(first, np.arange(len(words)), side="right") - 1  # (W,)

    own = before[clause]
    astray = (own < 0) | (line[first[own]] != line)
    forward = np.isin(codes[words.starts], _OPENING) | begins | astray
    source = np.where(forward, after[clause + 1], own)  # (W,): the clause that decides, -1 for none
    caps = np.where(source >= 0, best[source] - 1, LOWEST)
    return np.where(marks, np.minimum(scores, np.maximum(caps, LOWEST)), scores)


def _nearest(full: Mask) -> tuple[Offsets, Offsets]:
    """For each place, the nearest full one at or before it, and at or after it; -1 where there is none."""
    places = np.arange(len(full))
    before = np.maximum.accumulate(np.where(full, places, -1))
    far = len(full)
    after = np.minimum.accumulate(np.where(full, places, far)[::-1])[::-1]
    return before, np.append(np.where(after == far, -1, after), -1)
