"""From a job to words, tokens and budget: all that is known of a text before a model scores it.

Owns which words must stay, which can't be read, and how many tokens may stay. Knows no scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from compressors.base import Compressed, Job, Span, Tokenizer
from compressors.characters import DIGIT, FLAGS, SPACE, code_points
from compressors.documents import document_numbers
from compressors.forcing import marked, occurrences, repeatable
from compressors.legibility import Legibility, Literacy
from compressors.reading import Reader, Reading
from compressors.words import Mask, Offsets, Words, split


@dataclass(frozen=True, slots=True)
class Draft:
    """A job on its way to a model: `W` words, read as `T` of the model's tokens."""

    job: Job
    words: Words
    documents: Offsets
    """The document of each word, -1 for none; `(W,)` int64."""
    inked: Mask
    """Words that are more than white space; `(W,)` bool."""
    blocks: Mask
    """Words that are verbatim blocks; `(W,)` bool."""
    heads: Mask
    """Words that stay as long as their document does; `(W,)` bool."""
    pinned: Mask
    """Words that stay unless their document goes: blocks, heads and forced spans; `(W,)` bool."""
    wanted: Mask
    """Words that are to stay: force tokens, digits, what the model can't read; `(W,)` bool."""
    repeatable: Offsets
    """The force token each word is, counted from 1, else 0; `(W,)` int64."""
    tokenizer: Tokenizer
    starts: Offsets
    """Where the billed tokens of the text start; `(original_tokens,)` int64."""
    costs: Offsets
    """Billed tokens of each word with the white space before it; `(W,)` int64."""
    reading: Reading

    @property
    def original_tokens(self) -> int:
        """Billed tokens of the text."""
        return len(self.starts)

    def target(self) -> float:
        """Tokens that may stay, of the whole text."""
        job, total = self.job, self.original_tokens
        if job.target_tokens is not None:
            return job.target_tokens
        edges = np.searchsorted(self.starts, np.array(job.verbatim, dtype=np.int64).reshape(-1, 2))
        verbatim = int((edges[:, 1] - edges[:, 0]).sum())
        return verbatim + min(job.rate, 1.0) * (total - verbatim)

    def rate(self) -> float:
        """Share of the tokens that may stay, of the whole text; in [0, 1]."""
        return min(self.target() / max(self.original_tokens, 1), 1.0)


class Drafter:
    """Drafts jobs for one model."""

    def __init__(self, reader: Reader, literacy: Literacy, unreadable_share: float) -> None:
        self._reader = reader
        self._legibility = Legibility(reader.unknown_id, literacy)
        self._unreadable_share = unreadable_share

    def draft(self, job: Job) -> Draft | Compressed:
        """The draft of `job`, or at once its result where nothing may be dropped."""
        tokenizer = job.tokenizer or self._reader
        starts = np.asarray(tokenizer.starts(job.text), dtype=np.int64)
        if _is_whole(job, len(starts)):
            return whole(job, len(starts))
        found = occurrences(job.text, job.force_tokens)
        words = split(
            job.text,
            [*job.forced, *(span for span, _ in found)],
            _united(job.verbatim, job.heads),
            [edge for span in job.contexts for edge in span],
        )
        blocks = words.holding(marked(job.text, job.verbatim))
        if len(words) - np.count_nonzero(blocks) < 2 - blocks.any():
            return whole(job, len(starts))
        pieces = _complement(len(job.text), job.verbatim)
        reading = self._reader.read(job.text, pieces, [start for span in job.contexts for start in span])
        unread, share = self._legibility.judge(job.text, words, blocks, reading)
        if share > self._unreadable_share or not len(reading.ids):
            return whole(job, len(starts), unreadable=share > self._unreadable_share)
        wanted = words.holding(marked(job.text, [span for span, _ in found])) | unread
        heads = words.holding(marked(job.text, job.heads))
        flags = FLAGS[code_points(job.text)]
        if job.force_reserve_digit:
            wanted |= words.holding((flags & DIGIT) != 0)
        return Draft(
            job=job,
            words=words,
            documents=document_numbers(words.starts, job.contexts),
            inked=words.holding((flags & SPACE) == 0),
            blocks=blocks,
            heads=heads,
            pinned=blocks | heads | words.holding(marked(job.text, job.forced)),
            wanted=wanted,
            repeatable=repeatable(words, found),
            tokenizer=tokenizer,
            starts=starts,
            costs=np.diff(np.searchsorted(starts, words.ends), prepend=0),
            reading=reading,
        )


def whole(job: Job, tokens: int, *, unreadable: bool = False) -> Compressed:
    """The result that drops nothing of a text of `tokens` tokens."""
    spans = ((0, len(job.text)),) if job.text else ()
    return Compressed(
        spans=spans,
        text=job.text,
        original_tokens=tokens,
        compressed_tokens=tokens,
        unreadable=unreadable,
    )


def _is_whole(job: Job, tokens: int) -> bool:
    """Whether nothing may be dropped, so that the model needn't be asked."""
    if job.word_labels or job.min_probability is not None:
        return False
    if job.target_tokens is not None:
        return job.target_tokens >= tokens
    return job.rate >= 1 and (job.context_rate is None or job.context_rate >= 1)


def _united(blocks: Sequence[Span], heads: Sequence[Span]) -> list[Span]:
    """Blocks, and what heads hold beside them: disjoint."""
    united = list(blocks)
    for start, end in heads:
        edges = [edge for span in blocks if span[0] < end and span[1] > start for edge in span]
        parts = pairwise([start, *(min(max(edge, start), end) for edge in edges), end])
        united += [part for part in list(parts)[::2] if part[0] < part[1]]
    return united


def _complement(length: int, spans: Sequence[Span]) -> list[Span]:
    edges = [0, *(edge for span in spans for edge in span), length]
    return [(start, end) for start, end in list(pairwise(edges))[::2] if start < end]
