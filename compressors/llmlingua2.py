"""LLMLingua-2 (Pan et al., Findings of ACL 2024): keep the words a token classifier holds for needed.

Owns the default mode's decisions, from a job to the words that stay. Knows no tensors and no batches
(`encoder`), not where words start (`words`), nor which white space survives (`gaps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from compressors.base import Compressed, Job, Span, Tokenizer, Word
from compressors.budget import largest_fit
from compressors.characters import DIGIT, FLAGS, SPACE, code_points
from compressors.clauses import tied_to_clauses
from compressors.documents import document_numbers, dropped_documents
from compressors.encoder import Encoder, Probabilities
from compressors.forcing import occurrences, repeatable, without_repeats
from compressors.gaps import Gaps
from compressors.legibility import Legibility, Literacy
from compressors.reading import Reader, Reading
from compressors.render import render
from compressors.scores import Scores, dequantised, quantised, word_probabilities
from compressors.words import Mask, Offsets, Words, split


@dataclass(frozen=True, slots=True)
class _Draft:
    """A job on its way to the model: `W` words, read in `chunks` of the model's tokens."""

    job: Job
    words: Words
    blocks: Mask
    """Words that are verbatim blocks; `(W,)` bool."""
    pinned: Mask
    """Words that stay whatever happens: blocks and forced spans; `(W,)` bool."""
    wanted: Mask
    """Words that stay unless their document goes; `(W,)` bool."""
    repeatable: Offsets
    """The force token each word is, counted from 1, else 0; `(W,)` int64."""
    tokenizer: Tokenizer
    starts: Offsets
    """Where the billed tokens of the text start; `(original_tokens,)` int64."""
    reading: Reading
    chunks: list[Span]


class LLMLingua2:
    """The default mode: exact budgets, faithful white space, no text that the model can't read."""

    def __init__(
        self,
        reader: Reader,
        encoder: Encoder,
        fingerprint: str,
        *,
        literacy: Literacy,
        unreadable_share: float,
    ) -> None:
        self.fingerprint = fingerprint
        self._reader = reader
        self._encoder = encoder
        self._legibility = Legibility(reader.unknown_id, literacy)
        self._unreadable_share = unreadable_share

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order; one pass of the model over all of them."""
        drafts = [self._draft(job) for job in jobs]
        waiting = [draft for draft in drafts if isinstance(draft, _Draft)]
        sequences = [self._reader.sequence(d.reading, chunk) for d in waiting for chunk in d.chunks]
        rows = iter(self._encoder.keep_probabilities(sequences))
        return [
            draft
            if isinstance(draft, Compressed)
            else self._finish(draft, [next(rows) for _ in draft.chunks])
            for draft in drafts
        ]

    def _finish(self, draft: _Draft, rows: list[Probabilities]) -> Compressed:
        head, tail = len(self._reader.prefix), len(self._reader.suffix)
        return _decide(draft, np.concatenate([row[head : len(row) - tail] for row in rows]))

    def _draft(self, job: Job) -> _Draft | Compressed:
        tokenizer = job.tokenizer or self._reader
        starts = np.asarray(tokenizer.starts(job.text), dtype=np.int64)
        if _is_whole(job, len(starts)):
            return _whole(job, len(starts))
        found = occurrences(job.text, job.force_tokens)
        words = split(job.text, [*job.forced, *(span for span, _ in found)], job.verbatim)
        blocks = words.holding(_marked(job.text, job.verbatim))
        if len(words) - np.count_nonzero(blocks) < 2 - blocks.any():
            return _whole(job, len(starts))
        pieces = _complement(len(job.text), job.verbatim)
        reading = self._reader.read(job.text, pieces, [start for span in job.contexts for start in span])
        unread, share = self._legibility.judge(job.text, words, blocks, reading)
        if share > self._unreadable_share or not len(reading.ids):
            return _whole(job, len(starts), unreadable=share > self._unreadable_share)
        wanted = words.holding(_marked(job.text, [span for span, _ in found])) | unread
        if job.force_reserve_digit:
            wanted |= words.holding((FLAGS[code_points(job.text)] & DIGIT) != 0)
        return _Draft(
            job=job,
            words=words,
            blocks=blocks,
            pinned=blocks | words.holding(_marked(job.text, job.forced)),
            wanted=wanted,
            repeatable=repeatable(words, found),
            tokenizer=tokenizer,
            starts=starts,
            reading=reading,
            chunks=self._reader.chunks(reading, job.text, words, job.chunk_end_tokens),
        )


def _is_whole(job: Job, tokens: int) -> bool:
    """Whether nothing may be dropped, so that the model needn't be asked."""
    if job.word_labels or job.min_probability is not None:
        return False
    if job.target_tokens is not None:
        return job.target_tokens >= tokens
    return job.rate >= 1 and (job.context_rate is None or job.context_rate >= 1)


def _whole(job: Job, tokens: int, *, unreadable: bool = False) -> Compressed:
    spans = ((0, len(job.text)),) if job.text else ()
    return Compressed(
        spans=spans,
        text=job.text,
        original_tokens=tokens,
        compressed_tokens=tokens,
        unreadable=unreadable,
    )


def _decide(draft: _Draft, probabilities: Probabilities) -> Compressed:
    job = draft.job
    raw = word_probabilities(draft.reading, probabilities, draft.words, job.token_to_word)
    scores = tied_to_clauses(quantised(raw), job.text, draft.words, draft.pinned | draft.wanted)
    before = np.searchsorted(draft.starts, draft.words.ends)  # (W,) billed tokens up to each word's end
    costs = np.diff(before, prepend=0)
    target = _target(draft)
    dropped = _dropped(draft, raw, costs, target)
    selection = _Selection(draft, scores, costs, dropped)
    kept = selection.within(target) if job.min_probability is None else selection.above(job.min_probability)
    spans = selection.gaps.spans(kept)
    text = render(job.text, spans)
    tokens = draft.tokenizer.count(text)
    if tokens >= len(draft.starts):  # never worse: a shorter text can take more tokens
        kept, spans, text, tokens = np.ones_like(kept), ((0, len(job.text)),), job.text, len(draft.starts)
    return Compressed(
        spans=spans,
        text=text,
        original_tokens=len(draft.starts),
        compressed_tokens=tokens,
        words=_labels(draft, scores, kept) if job.word_labels else (),
    )


def _target(draft: _Draft) -> float:
    """Tokens that may stay, of the whole text."""
    job, total = draft.job, len(draft.starts)
    if job.target_tokens is not None:
        return job.target_tokens
    edges = np.searchsorted(draft.starts, np.array(job.verbatim, dtype=np.int64).reshape(-1, 2))
    verbatim = int((edges[:, 1] - edges[:, 0]).sum())
    return verbatim + min(job.rate, 1.0) * (total - verbatim)


def _dropped(draft: _Draft, probabilities: npt.NDArray[np.float64], costs: Offsets, target: float) -> Mask:
    job = draft.job
    if job.context_rate is not None:
        share = job.context_rate
    elif job.min_probability is not None:
        share = 1.0
    else:  # half of the way, as the llmlingua package does
        share = (1 + target / max(len(draft.starts), 1)) / 2
    numbers = document_numbers(draft.words, job.contexts)
    return dropped_documents(numbers, probabilities, costs, share)


class _Selection:
    """Chooses among one draft's words. `dropped` (`(W,)` bool) marks those whose document goes."""

    def __init__(self, draft: _Draft, scores: Scores, costs: Offsets, dropped: Mask) -> None:
        self.gaps = Gaps(draft.job.text, draft.words)
        self._draft = draft
        self._scores = scores
        self._costs = costs
        self._fixed = draft.pinned | (draft.wanted & ~dropped)
        self._open = ~self._fixed & ~dropped
        self._inked = draft.words.holding((FLAGS[code_points(draft.job.text)] & SPACE) == 0)

    def above(self, probability: float) -> Mask:
        """The words at or above `probability`, but at least one."""
        kept = self._fixed | (self._open & (dequantised(self._scores) >= probability))
        return self._never_blank(self._thinned(kept))

    def within(self, target: float) -> Mask:
        """The best words that together take at most `target` tokens, but at least one."""
        candidates = np.flatnonzero(self._open)
        ranked = candidates[np.argsort(-self._scores[candidates], kind="stable")]
        costs = np.concatenate(([self._costs[self._fixed].sum()], self._costs[ranked]))

        def first(m: int) -> Mask:
            kept = self._fixed.copy()
            kept[ranked[:m]] = True
            return self._thinned(kept)

        everything = first(len(ranked))
        if self._count(everything) <= target:
            return everything
        return self._never_blank(
            first(largest_fit(lambda m: self._count(first(m)), np.cumsum(costs), target))
        )

    def _never_blank(self, kept: Mask) -> Mask:
        """`kept`, and the best word if nothing but white space would stay."""
        if not (kept & self._inked).any() and self._inked.any():
            kept = kept.copy()
            kept[np.argmax(np.where(self._inked, self._scores, np.iinfo(np.int64).min))] = True
        return kept

    def _thinned(self, kept: Mask) -> Mask:
        if not self._draft.job.drop_consecutive:
            return kept
        return without_repeats(kept, self._draft.repeatable) | self._draft.pinned

    def _count(self, kept: Mask) -> int:
        if kept.all():
            return len(self._draft.starts)
        return self._draft.tokenizer.count(render(self._draft.job.text, self.gaps.spans(kept)))


def _labels(draft: _Draft, scores: Scores, kept: Mask) -> tuple[Word, ...]:
    words = draft.words
    read = ~draft.blocks
    columns = (words.starts, words.ends, dequantised(scores), kept)
    return tuple(
        Word(span=(start, end), probability=probability, kept=stays)
        for start, end, probability, stays in zip(*(column[read].tolist() for column in columns), strict=True)
    )


def _marked(text: str, spans: Sequence[Span]) -> Mask:
    marked = np.zeros(len(text), dtype=np.bool_)
    for start, end in spans:
        marked[start:end] = True
    return marked


def _complement(length: int, spans: Sequence[Span]) -> list[Span]:
    edges = [0, *(edge for span in spans for edge in span), length]
    return [(start, end) for start, end in list(pairwise(edges))[::2] if start < end]
