"""LongLLMLingua (Jiang et al., ACL 2024): keep the documents and words that a question makes likelier.

Owns what the question changes: how documents are ranked and what a word is worth. All else is LLMLingua's.
T: tokens of a text, D: its documents, S: sentences, L: tokens of a window, Q: tokens of a question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.base import Job, Span
from compressors.controller import scheduled
from compressors.llmlingua import LLMLingua, Steps, Values, Work, document_means, take_surprise
from compressors.passes import Unit
from compressors.ranking import Ranker, combined, order
from compressors.rankings import OWN, Rankers
from compressors.reading import TokenIds
from compressors.scores import Scores
from compressors.units import NOTHING, Continuation, Judgement, Known, Surprisals
from compressors.windows import Window

_QUESTION_SHARE = 4
"""The question takes at most one in so many tokens of the model's window; of a longer one the end is read."""
_SURPRISE = 0.1
"""What a nat of plain surprise is worth beside a nat that the question explains."""


class LongLLMLingua(LLMLingua):
    """Judges each word by how much less it surprises once the question is known.

    With the default condition, each document's tokens are read once with the question behind them, which
    ranks the document, and once more with the question before them if the document stays; the plain surprise
    of the first reading is the other side of the contrast. Documents stay for about the target, so that a
    token is read 1 + rate times, and up to one document more; twice where no document may go. Against the
    paper this approximates: a word is judged given its own document, not what was kept of earlier ones
    (`Strategy.segment_tokens` does that), and all documents share one budget that is met exactly, so that no
    ratio is fixed beforehand. A text without a question is LLMLingua's.
    """

    def __init__(self, *args: Any, rankers: Callable[[str], Ranker], **options: Any) -> None:
        """`rankers` gives a ranker by name; the rest is as for `LLMLingua`."""
        super().__init__(*args, **options)
        self._rankers = Rankers(rankers, self._causal.window)

    def _capacity(self, job: Job) -> int:
        if not job.question:
            return super()._capacity(job)
        return self._causal.window - max(
            len(self._prefix(job)), len(self._start) + len(self._restricted(job))
        )

    def _rank(self, work: Work) -> Steps:
        """Order the documents, those first that fit the question best."""
        job = work.draft.job
        if not job.question:
            yield from super()._rank(work)
        elif len(job.contexts) < 2:
            work.order = list(range(len(job.contexts)))
        else:
            found = []
            if OWN in job.strategy.rankers:
                found.append((yield from self._likelihoods(work)))
            found += yield from self._rankers.scores(job, job.contexts)
            work.order = order(combined(found)).tolist()

    def _likelihoods(self, work: Work) -> Values:
        """How well the documents fit the question by the causal model alone; `(D,)`, finite.

        A document that isn't read, such as one that is all code, counts as much as the others do on average.
        """
        condition = work.draft.job.strategy.condition
        if condition == "after":
            scores = yield from self._questions_after(work)
        elif condition == "before":
            units = self._continuations(work, self._prefix(work.draft.job), work.windows)
            _take_conditional(work, work.windows, (yield units))
            scores = -document_means(work, work.conditional)
        else:
            yield from self._read_windows(work, work.windows)
            scores = document_means(work, work.surprise)
        return _with_unread(work, scores)

    def _questions_after(self, work: Work) -> Values:
        """Mean log-likelihood of the question after each document; a long document counts by its best window."""
        job = work.draft.job
        scores = np.full(len(job.contexts), -np.inf)
        asked = [window for window in work.windows if window.document >= 0]
        if not asked:
            return scores
        question = self._restricted(job)
        holds = job.strategy.contrast and work.segment_tokens is None
        units = []
        for window in asked:
            read = window.end - window.start
            units.append(
                Continuation(
                    self._start,
                    np.concatenate((work.ids(window), question)),
                    judged=(read, read + len(question)),
                    held=(window.fresh - window.start, read) if holds else NOTHING,
                    siblings=len(asked),
                )
            )
        found: Sequence[Known] = yield units
        for window, known in zip(asked, found, strict=True):
            if known.held is not None:  # the plain surprise, should the document stay
                work.held[window] = known.held
            place = window.document
            scores[place] = max(scores[place], -float(known.surprisals.mean()))
        return scores

    def _judge(self, work: Work) -> Steps:
        """Value the tokens of what stays by the question."""
        job = work.draft.job
        if not job.question:
            yield from super()._judge(work)
        elif work.segment_tokens is None:
            yield from self._judge_at_once(work)
        elif job.strategy.contrast:
            prefixes = [self._start, self._prefix(job)]
            yield from self._judge_by_segments(work, work.segment_tokens, prefixes, _contrast)
        else:
            prefixes = [self._prefix(job)]
            yield from self._judge_by_segments(work, work.segment_tokens, prefixes, lambda found: found[0])

    def _judge_at_once(self, work: Work) -> Steps:
        """Both sides of the contrast in one pass, as far as they aren't known."""
        job, left = work.draft.job, work.left
        after = [] if work.conditioned else left
        plain = [window for window in left if job.strategy.contrast and window not in work.surprising]
        held = [window for window in plain if window in work.held]
        unread = [window for window in plain if window not in work.held]
        units: list[Unit] = [
            *self._continuations(work, self._prefix(job), after),
            *self._continuations(work, self._start, unread),
            *(Judgement(work.held[window]) for window in held),
        ]
        work.held.clear()  # what no unit asks for is let go before the model is at work again
        found: Sequence[Known] = (yield units) if units else ()
        _take_conditional(work, after, found[: len(after)])
        take_surprise(work, [*unread, *held], found[len(after) :])
        work.values = (
            _contrast((work.surprise, work.conditional)) if job.strategy.contrast else work.conditional
        )

    def forward(self, units: Sequence[Any]) -> list[Any]:
        """What the causal model, or a ranker that is a model, makes of each unit."""
        return self._rankers.forward(units, super().forward)

    def _spread(self, work: Work, scores: Scores, order: Sequence[int]) -> Scores:
        """More of what fits the question better, by the policy's ratio."""
        if not work.draft.job.question:
            return scores
        return scheduled(work.draft, scores, order, work.draft.job.strategy.dynamic_ratio)

    def _sentence_values(self, work: Work, found: Sequence[Span]) -> Values:
        values = yield from super()._sentence_values(work, found)
        if not work.draft.job.question:
            return values
        others = yield from self._rankers.scores(work.draft.job, found)
        return combined([values, *others])

    def _prefix(self, job: Job) -> TokenIds:
        return np.concatenate((self._start, self._tokens(f"{job.question}\n\n")))

    def _restricted(self, job: Job) -> TokenIds:
        return self._tokens(f"\n\n{job.question}{job.strategy.restrictive}")

    def _tokens(self, text: str) -> TokenIds:
        return self._reader.read(text, [(0, len(text))]).ids[-(self._causal.window // _QUESTION_SHARE) :]


def _take_conditional(work: Work, windows: Sequence[Window], found: Sequence[Known]) -> None:
    for window, known in zip(windows, found, strict=True):
        work.conditional[window.fresh : window.end] = known.surprisals
        work.conditioned = True


def _contrast(found: Sequence[Surprisals]) -> Surprisals:
    """What the question explains of each token's surprise, and a little of the surprise itself."""
    plain, conditional = found
    return (1 + _SURPRISE) * plain - conditional


def _with_unread(work: Work, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`scores` (`(D,)`) with the mean of those read for documents without a token."""
    read = np.isin(np.arange(len(scores)), [window.document for window in work.windows])
    return np.where(read, scores, scores[read].mean() if read.any() else 0.0)
