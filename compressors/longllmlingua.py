"""LongLLMLingua (Jiang et al., ACL 2024): keep the documents and words that a question makes likelier.

Owns what the question changes: how documents are ranked and what a word is worth. All else is LLMLingua's.
T: tokens of a text, D: its documents, S: sentences, L: tokens of a window, Q: tokens of a question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.base import Job, Span
from compressors.causal import Continuation, Surprisals
from compressors.controller import scheduled
from compressors.llmlingua import LLMLingua, Work, document_means
from compressors.ranking import Ranker, combined, order
from compressors.reading import TokenIds
from compressors.scores import Scores
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
        self._ranker = cache(rankers)

    def _capacity(self, job: Job) -> int:
        if not job.question:
            return super()._capacity(job)
        return self._causal.window - max(
            len(self._prefix(job)), len(self._start) + len(self._restricted(job))
        )

    def _rank(self, works: Sequence[Work]) -> None:
        """Order each work's documents, those first that fit the question best."""
        super()._rank([work for work in works if not work.draft.job.question])
        asked = [work for work in works if work.draft.job.question]
        likelihoods = self._likelihoods([work for work in asked if _by_perplexity(work)])
        for work in asked:
            if len(work.draft.job.contexts) < 2:
                work.order = list(range(len(work.draft.job.contexts)))
                continue
            found = [likelihoods.pop(0)] if _by_perplexity(work) else []
            work.order = order(combined([*found, *self._ranked(work, work.draft.job.contexts)])).tolist()

    def _ranked(self, work: Work, spans: Sequence[Span]) -> list[npt.NDArray[np.float64]]:
        """How well the rankers that need no causal model find each of `spans` to fit the question."""
        job = work.draft.job
        texts = [job.text[start:end] for start, end in spans]
        names = [name for name in job.strategy.rankers if name != "perplexity"]
        return [self._ranker(name).scores(job.question, texts) for name in names]

    def _likelihoods(self, works: Sequence[Work]) -> list[npt.NDArray[np.float64]]:
        """How well each work's documents fit its question by the causal model alone; `(D,)` each, finite.

        A document that isn't read, such as one that is all code, counts as much as the others do on average.
        """
        after = [work for work in works if work.draft.job.strategy.condition == "after"]
        before = [work for work in works if work.draft.job.strategy.condition == "before"]
        plain = [work for work in works if work.draft.job.strategy.condition == "none"]
        scores = dict(zip(map(id, after), self._questions_after(after), strict=True))
        self._read_after_question([(work, window) for work in before for window in work.windows])
        scores |= {id(work): -document_means(work, work.conditional) for work in before}
        self._read_windows([(work, window) for work in plain for window in work.windows])
        scores |= {id(work): document_means(work, work.surprise) for work in plain}
        return [_with_unread(work, scores[id(work)]) for work in works]

    def _questions_after(self, works: Sequence[Work]) -> list[npt.NDArray[np.float64]]:
        """Mean log-likelihood of the question after each document; a long document counts by its best window."""
        asked = [(work, window) for work in works for window in work.windows if window.document >= 0]
        questions = {id(work): self._restricted(work.draft.job) for work in works}
        states = self._causal.read(
            [
                Continuation(self._start, np.concatenate((work.ids(window), questions[id(work)])))
                for work, window in asked
            ]
        )
        rows = []
        for (work, window), state in zip(asked, states, strict=True):
            read = window.end - window.start
            work.states[window] = state[:read]  # the plain surprise, should the document stay
            rows.append(state[read:])
        found = self._causal.surprisals(rows, [questions[id(work)] for work, _ in asked])
        scores = {id(work): np.full(len(work.draft.job.contexts), -np.inf) for work in works}
        for (work, window), surprise in zip(asked, found, strict=True):
            own = scores[id(work)]
            own[window.document] = max(own[window.document], -float(surprise.mean()))
        return [scores[id(work)] for work in works]

    def _read_after_question(self, asked: Sequence[tuple[Work, Window]]) -> None:
        """Find the surprise of the tokens of windows once the question is known."""
        prefixes = {id(work): self._prefix(work.draft.job) for work, _ in asked}
        states = self._causal.read(
            [Continuation(prefixes[id(work)], work.ids(window)) for work, window in asked]
        )
        rows = [state[w.fresh - w.start :] for (_, w), state in zip(asked, states, strict=True)]
        ids = [work.draft.reading.ids[w.fresh : w.end] for work, w in asked]
        for (work, window), found in zip(asked, self._causal.surprisals(rows, ids), strict=True):
            work.conditioned = True
            work.conditional[window.fresh : window.end] = found

    def _judge(self, works: Sequence[Work]) -> None:
        """Value the tokens of what stays by the question."""
        super()._judge([work for work in works if not work.draft.job.question])
        asked = [work for work in works if work.draft.job.question]
        at_once = [work for work in asked if work.segment_tokens is None]
        self._read_after_question(
            [(work, window) for work in at_once if not work.conditioned for window in work.left]
        )
        self._read_windows(
            [(w, window) for w in at_once if w.draft.job.strategy.contrast for window in w.left]
        )
        for work in at_once:
            contrast = work.draft.job.strategy.contrast
            work.values = _contrast((work.surprise, work.conditional)) if contrast else work.conditional
        for work in asked:
            if work.segment_tokens is None:
                continue
            prefix = self._prefix(work.draft.job)
            if work.draft.job.strategy.contrast:
                self._judge_by_segments(work, work.segment_tokens, [self._start, prefix], _contrast)
            else:
                self._judge_by_segments(work, work.segment_tokens, [prefix], lambda found: found[0])

    def _spread(self, work: Work, scores: Scores, order: Sequence[int]) -> Scores:
        """More of what fits the question better, by the policy's ratio."""
        if not work.draft.job.question:
            return scores
        return scheduled(work.draft, scores, order, work.draft.job.strategy.dynamic_ratio)

    def _sentence_values(self, work: Work, found: Sequence[Span]) -> npt.NDArray[np.float64]:
        values = super()._sentence_values(work, found)
        if not work.draft.job.question:
            return values
        return combined([values, *self._ranked(work, found)])

    def _prefix(self, job: Job) -> TokenIds:
        return np.concatenate((self._start, self._tokens(f"{job.question}\n\n")))

    def _restricted(self, job: Job) -> TokenIds:
        return self._tokens(f"\n\n{job.question}{job.strategy.restrictive}")

    def _tokens(self, text: str) -> TokenIds:
        return self._reader.read(text, [(0, len(text))]).ids[-(self._causal.window // _QUESTION_SHARE) :]


def _contrast(found: Sequence[Surprisals]) -> Surprisals:
    """What the question explains of each token's surprise, and a little of the surprise itself."""
    plain, conditional = found
    return (1 + _SURPRISE) * plain - conditional


def _with_unread(work: Work, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`scores` (`(D,)`) with the mean of those read for documents without a token."""
    read = np.isin(np.arange(len(scores)), [window.document for window in work.windows])
    return np.where(read, scores, scores[read].mean() if read.any() else 0.0)


def _by_perplexity(work: Work) -> bool:
    return "perplexity" in work.draft.job.strategy.rankers and len(work.draft.job.contexts) > 1
