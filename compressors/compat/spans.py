"""Decisions about pieces of a text as ranges of its characters. Knows no tokens, no model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from compressors.base import Job, Span, Word
from compressors.gaps import Gaps
from compressors.words import Words


def pieces_of(job: Job) -> list[Span]:
    """What the package reads: the job's documents or, without any, its text; less the verbatim blocks."""
    edges = {edge for span in (*job.contexts, *job.verbatim) for edge in span}
    read = job.contexts or ((0, len(job.text)),)
    return [
        (start, end)
        for start, end in pairwise(sorted({0, *edges, len(job.text)}))
        if inside(start, end, read) and not inside(start, end, job.verbatim)
    ]


def inked(text: str, start: int, end: int) -> Span:
    """The span less the white space at its edges, which some tokenizers count to a word; unless it is all."""
    word = text[start:end]
    if not word.strip():
        return start, end
    return end - len(word.lstrip()), start + len(word.rstrip())


def kept_spans(text: str, words: Sequence[Word]) -> tuple[Span, ...]:
    """What stays if the `words` do that say so; white space between them survives as `gaps` has it."""
    if not words:
        return ()
    ordered = sorted(words, key=lambda word: word.span)
    starts, ends = np.array([word.span for word in ordered], dtype=np.int64).T
    ends = np.maximum.accumulate(ends)
    starts = np.maximum(starts, np.concatenate(([0], ends[:-1])))  # a character may give several words
    some = starts < ends
    kept = np.array([word.kept for word in ordered])
    return Gaps(text, Words(starts[some], ends[some])).spans(kept[some])


def between(text: str, spans: Sequence[Span]) -> list[Span]:
    """The parts of `text` outside of `spans`."""
    edges = [0, *(edge for span in united(spans) for edge in span), len(text)]
    return [(start, end) for start, end in list(pairwise(edges))[::2] if start < end]


def united(spans: Sequence[Span]) -> tuple[Span, ...]:
    """What any of `spans` holds: ascending and disjoint."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return tuple(united)


def inside(start: int, end: int, spans: Sequence[Span]) -> bool:
    """Whether one of `spans` holds all from `start` to `end`."""
    return any(s <= start and end <= e for s, e in spans)
