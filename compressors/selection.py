"""Which words stay within a budget, and the result they make. Knows scores, but no model.

Owns exact budgets: tokens are counted on what would be sent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compressors.base import Compressed, Span, Word
from compressors.budget import largest_fit
from compressors.documents import arranged
from compressors.drafting import Draft
from compressors.forcing import without_repeats
from compressors.gaps import Gaps
from compressors.render import render
from compressors.scores import Scores, dequantised
from compressors.words import Mask


class Selection:
    """Chooses among one draft's words by `scores` (`(W,)` int64, higher stays longer).

    `dropped` (`(W,)` bool) marks what goes in any case, protected words included: whole documents and
    sentences. `joints` (`(W,)` bool) marks what stays in any case between documents that do.
    """

    def __init__(self, draft: Draft, scores: Scores, dropped: Mask, joints: Mask) -> None:
        self.gaps = Gaps(draft.job.text, draft.words)
        self._draft = draft
        self._scores = scores
        self._dropped = dropped
        self._fixed = ((draft.pinned | draft.wanted) & ~dropped) | joints
        self._open = ~self._fixed & ~dropped
        self._last: tuple[str, int] | None = None

    def above(self, probability: float) -> Mask:
        """The words at or above `probability`, but at least one."""
        kept = self._fixed | (self._open & (dequantised(self._scores) >= probability))
        return self._never_blank(self._thinned(kept))

    def everything(self) -> Mask:
        """All words that don't go in any case."""
        return self._thinned(self._fixed | self._open)

    def within(self, target: float) -> Mask:
        """The best words that together take at most `target` tokens, but at least one."""
        everything = self.everything()
        if self.count(everything) <= target:
            return everything
        candidates = np.flatnonzero(self._open)
        ranked = candidates[np.argsort(-self._scores[candidates], kind="stable")]
        costs = self._draft.costs
        estimates = np.cumsum(np.concatenate(([costs[self._fixed].sum()], costs[ranked])))

        def first(m: int) -> Mask:
            kept = self._fixed.copy()
            kept[ranked[:m]] = True
            return self._thinned(kept)

        return self._never_blank(first(largest_fit(lambda m: self.count(first(m)), estimates, target)))

    def count(self, kept: Mask) -> int:
        """Billed tokens of what the words `kept` make."""
        if kept.all():
            return self._draft.original_tokens
        return self.counted(render(self._draft.job.text, self.gaps.spans(kept)))

    def counted(self, text: str) -> int:
        """Billed tokens of what stays; counting is a large part of all work, so the last text is counted once."""
        if self._last is None or self._last[0] != text:
            self._last = text, self._draft.tokenizer.count(text)
        return self._last[1]

    def _never_blank(self, kept: Mask) -> Mask:
        """`kept`, and the best word if nothing but white space would stay."""
        inked = self._draft.inked & ~self._dropped
        if not (kept & inked).any() and inked.any():
            kept = kept.copy()
            kept[np.argmax(np.where(inked, self._scores, np.iinfo(np.int64).min))] = True
        return kept

    def _thinned(self, kept: Mask) -> Mask:
        if not self._draft.job.drop_consecutive:
            return kept
        return without_repeats(kept, self._draft.repeatable) | (kept & self._draft.pinned)


def composed(
    draft: Draft,
    selection: Selection,
    kept: Mask,
    scores: Scores,
    dropped: Mask,
    order: Sequence[int] = (),
) -> Compressed:
    """The result for the words `kept` (`(W,)` bool) where those `dropped` went as whole documents and sentences.

    `order` rearranges documents, named by their places. A result that would take as many tokens as the text is
    the text itself, unless it is rearranged.
    """
    job = draft.job
    spans = selection.gaps.spans(kept)
    if order:
        spans = arranged(spans, job.contexts, order)
    text = render(job.text, spans)
    tokens = selection.counted(text)
    if tokens >= draft.original_tokens and not order:  # never worse: a shorter text can take more tokens
        kept, spans, text = np.ones_like(kept), ((0, len(job.text)),), job.text
        tokens, dropped = draft.original_tokens, ~kept
    return Compressed(
        spans=spans,
        text=text,
        original_tokens=draft.original_tokens,
        compressed_tokens=tokens,
        dropped=_runs(draft, dropped),
        words=_labels(draft, scores, kept) if job.word_labels else (),
    )


def _runs(draft: Draft, dropped: Mask) -> tuple[Span, ...]:
    """From the first to the last of each run of words that went."""
    edges = np.flatnonzero(np.diff(np.pad(dropped, 1).astype(np.int8)))
    starts, ends = draft.words.starts[edges[::2]], draft.words.ends[edges[1::2] - 1]
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


def _labels(draft: Draft, scores: Scores, kept: Mask) -> tuple[Word, ...]:
    words = draft.words
    read = ~draft.blocks
    columns = (words.starts, words.ends, dequantised(scores), kept)
    return tuple(
        Word(span=(start, end), probability=probability, kept=stays)
        for start, end, probability, stays in zip(*(column[read].tolist() for column in columns), strict=True)
    )
