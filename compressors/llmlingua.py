"""LLMLingua (Jiang et al., EMNLP 2023): keep the words that surprise a causal language model.

Owns the order of the steps: rank documents, let whole ones go, judge words, meet the budget. Knows no tensors
(`causal`), not how budgets are divided (`controller`), nor which words must stay (`drafting`).
T: tokens of a text, D: its documents, W: its words.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.base import Compressed, Job, Span
from compressors.causal import Causal
from compressors.clauses import tied_to_clauses
from compressors.controller import dropped_sentences, kept_documents, sentence_numbers
from compressors.documents import chosen, document_numbers
from compressors.drafting import Draft, Drafter
from compressors.errors import CompressionError
from compressors.legibility import Literacy
from compressors.passes import Passes, Unit, compress
from compressors.ranking import order
from compressors.reading import Reader, TokenIds
from compressors.scores import Scores, grouped_means, quantised_surprise, word_means
from compressors.segments import Worth, judged_by_segments
from compressors.selection import Selection, composed
from compressors.sentences import sentences
from compressors.units import Continuation, Held, Known, Surprisals
from compressors.windows import Window, windows
from compressors.words import Mask, Offsets

Steps = Generator[Sequence[Unit], Sequence[Any], None]
"""Part of a job's passes, which leaves what it found in the job's work."""
Values = Generator[Sequence[Unit], Sequence[Any], npt.NDArray[np.float64]]
"""Part of a job's passes that finds what documents or sentences are worth."""

_OVERLAP = 0.25
"""Share of a window that is read again for context, where the budget of forwarded tokens allows it."""


@dataclass(slots=True)
class Work:
    """A draft and what is found out about it on the way."""

    draft: Draft
    documents: Offsets
    """The document of each token, -1 for none; `(T,)` int64."""
    windows: list[Window]
    surprise: Surprisals = field(init=False)
    """Nats of each token without the question; `(T,)` float32."""
    conditional: Surprisals = field(init=False)
    """Nats of each token once the question is known; `(T,)` float32."""
    values: Surprisals = field(init=False)
    """What each token is worth; `(T,)` float32."""
    order: list[int] = field(default_factory=list)
    """Documents, best first."""
    kept: Mask = field(init=False)
    """Documents that stay; `(D,)` bool."""
    surprising: set[Window] = field(default_factory=set)
    """Windows whose `surprise` is known."""
    held: dict[Window, Held] = field(default_factory=dict)
    """What is needed to find the surprise of windows that were read for something else."""
    conditioned: bool = False
    """Whether `conditional` is known for all that stays."""

    def __post_init__(self) -> None:
        tokens = len(self.draft.reading.ids)
        self.surprise, self.conditional, self.values = np.zeros((3, tokens), dtype=np.float32)
        self.kept = np.ones(len(self.draft.job.contexts), dtype=np.bool_)

    @property
    def segment_tokens(self) -> int | None:
        """Tokens that are judged at a time, given what was kept before; None judges by one reading."""
        return self.draft.job.strategy.segment_tokens

    @property
    def left(self) -> list[Window]:
        """The windows of what stays."""
        return [w for w in self.windows if w.document < 0 or self.kept[w.document]]

    def ids(self, window: Window) -> TokenIds:
        """The tokens of a window, `(L,)` int64."""
        return self.draft.reading.ids[window.start : window.end]


class LLMLingua:
    """Judges each word by its own surprise, given all that stands before it in the text.

    One pass reads each token once, and up to a quarter of them again where a text is longer than the model's
    window; never more than 1 + rate times its tokens. Against the paper this approximates: a word is judged
    given the whole text before it, not what was kept of it. `Strategy.segment_tokens` judges it given what
    was kept, segment by segment, and forwards kept tokens a second time. Documents are ranked from the same
    pass: the more surprising ones stay.
    """

    def __init__(
        self,
        reader: Reader,
        causal: Causal,
        fingerprint: str,
        *,
        start: TokenIds,
        literacy: Literacy,
        unreadable_share: float,
    ) -> None:
        """`start` begins every sequence: the model's BOS or what stands in for it, at least one token."""
        self.fingerprint = fingerprint
        self.device = str(causal.device)
        self.batch_tokens = causal.batch_tokens
        self._reader = reader
        self._causal = causal
        self._start = start
        self._drafter = Drafter(reader, literacy, unreadable_share)

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order; few passes of the model over all of them.

        Raises `CompressionError` for `min_probability`, which a causal model doesn't have.
        """
        return compress(self, jobs)

    def passes(self, job: Job) -> Passes:
        """A pass to rank documents, one to judge what stays; with segments, one for each of those.

        Raises `CompressionError` like `compress`.
        """
        if job.min_probability is not None:
            raise CompressionError(
                "min_probability needs a token classifier; a causal model knows rates and targets"
            )
        draft = self._drafter.draft(job)
        if isinstance(draft, Compressed):
            return draft
        work = self._work(draft)
        yield from self._rank(work)
        work.kept = kept_documents(draft, work.order)
        yield from self._judge(work)
        return (yield from self._finish(work))

    def forward(self, units: Sequence[Any]) -> list[Any]:
        """What the causal model makes of each unit."""
        return self._causal.forward(units)

    def _work(self, draft: Draft) -> Work:
        overlap = min(_OVERLAP, draft.rate() / (1 + draft.rate()))  # 1 / (1 - overlap) is at most 1 + rate
        documents = document_numbers(draft.reading.starts, draft.job.contexts)
        return Work(draft, documents, windows(documents, self._capacity(draft.job), overlap))

    def _capacity(self, _: Job) -> int:
        return self._causal.window - len(self._start)

    def _rank(self, work: Work) -> Steps:
        """Order the documents, the most surprising first."""
        if work.segment_tokens is None or len(work.draft.job.contexts) > 1:
            yield from self._read_windows(work, work.windows)
        work.order = order(document_means(work, work.surprise)).tolist()

    def _judge(self, work: Work) -> Steps:
        """Value the tokens of what stays."""
        if work.segment_tokens is None:
            work.values = work.surprise
        else:
            yield from self._judge_by_segments(
                work, work.segment_tokens, [self._start], lambda found: found[0]
            )

    def _judge_by_segments(self, work: Work, size: int, prefixes: Sequence[TokenIds], worth: Worth) -> Steps:
        work.values = yield from judged_by_segments(
            self._causal.window, prefixes, worth, work.draft, work.left, size
        )

    def _read_windows(self, work: Work, asked: Sequence[Window]) -> Steps:
        """Find the surprise of the tokens of windows."""
        found: Sequence[Known] = yield self._continuations(work, self._start, asked)
        take_surprise(work, asked, found)

    def _continuations(self, work: Work, prefix: TokenIds, asked: Sequence[Window]) -> list[Continuation]:
        """Windows behind a prefix, all that is new in them to be judged."""
        return [
            Continuation(
                prefix,
                work.ids(window),
                judged=(window.fresh - window.start, window.end - window.start),
                siblings=len(asked),
            )
            for window in asked
        ]

    def _finish(self, work: Work) -> Passes:
        draft, strategy = work.draft, work.draft.job.strategy
        values = word_means(draft.reading, work.values, draft.words, draft.job.token_to_word)
        choice = chosen(draft, work.kept)
        dropped = choice.dropped
        if strategy.sentence_filter:
            found = sentences(draft.job.text)
            worth = yield from self._sentence_values(work, found)
            dropped = dropped | dropped_sentences(draft, found, worth, dropped)
        scores = quantised_surprise(values)
        scores = tied_to_clauses(scores, draft.job.text, draft.words, draft.pinned | draft.wanted)
        left = [place for place in work.order if work.kept[place]]
        selection = Selection(draft, self._spread(work, scores, left), dropped, choice.joints)
        kept = selection.within(draft.target()) if strategy.token_filter else selection.everything()
        arrangement = _arrangement(left) if strategy.order == "two_stage" else left
        return composed(
            draft, selection, kept, scores, dropped, () if strategy.order == "original" else arrangement
        )

    def _spread(self, _: Work, scores: Scores, __: Sequence[int]) -> Scores:
        """The scores by which documents compete for the budget: as they are."""
        return scores

    def _sentence_values(self, work: Work, found: Sequence[Span]) -> Values:
        """How much each sentence is worth, `(S,)`: the mean over its tokens."""
        yield from ()  # other methods ask models
        number = sentence_numbers(work.draft.reading.starts, found)  # (T,)
        return grouped_means(number, work.values, len(found))


def take_surprise(work: Work, windows: Sequence[Window], found: Sequence[Known]) -> None:
    """Note what was found out about windows that were read without the question."""
    for window, known in zip(windows, found, strict=True):
        work.surprise[window.fresh : window.end] = known.surprisals
        work.surprising.add(window)


def document_means(work: Work, values: Surprisals) -> npt.NDArray[np.float64]:
    """The mean token value of each document, `(D,)`."""
    inside = work.documents >= 0
    return grouped_means(work.documents[inside], values[inside], len(work.draft.job.contexts))


def _arrangement(ranked: Sequence[int]) -> list[int]:
    """The best documents at both ends: even ranks forward, then odd ranks backward."""
    return [*ranked[::2], *ranked[1::2][::-1]]
