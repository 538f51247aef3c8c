"""LLMLingua (Jiang et al., EMNLP 2023): keep the words that surprise a causal language model.

Owns the order of the steps: rank documents, let whole ones go, judge words, meet the budget. Knows no tensors
(`causal`), not how budgets are divided (`controller`), nor which words must stay (`drafting`).
T: tokens of a text, D: its documents, W: its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from compressors.base import Compressed, Job
from compressors.causal import Causal, Continuation, States, Surprisals
from compressors.clauses import tied_to_clauses
from compressors.controller import dropped_sentences, kept_documents, sentence_numbers
from compressors.documents import chosen, document_numbers
from compressors.drafting import Draft, Drafter
from compressors.errors import CompressionError
from compressors.legibility import Literacy
from compressors.ranking import order
from compressors.reading import Reader, TokenIds
from compressors.scores import Scores, grouped_means, quantised_surprise, word_means
from compressors.segments import Worth, judged_by_segments
from compressors.selection import Selection, composed
from compressors.sentences import sentences
from compressors.windows import Window, windows
from compressors.words import Mask, Offsets

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
    states: dict[Window, States] = field(default_factory=dict)
    """What the model knew before each token of a window, kept for as long as it may be needed."""
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
        self._reader = reader
        self._causal = causal
        self._start = start
        self._drafter = Drafter(reader, literacy, unreadable_share)

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order; few passes of the model over all of them.

        Raises `CompressionError` for `min_probability`, which a causal model doesn't have.
        """
        if any(job.min_probability is not None for job in jobs):
            raise CompressionError(
                "min_probability needs a token classifier; a causal model knows rates and targets"
            )
        drafts = [self._drafter.draft(job) for job in jobs]
        works = [self._work(draft) for draft in drafts if isinstance(draft, Draft)]
        self._rank(works)
        for work in works:
            work.kept = kept_documents(work.draft, work.order)
        self._judge(works)
        finished = iter([self._finish(work) for work in works])
        return [draft if isinstance(draft, Compressed) else next(finished) for draft in drafts]

    def _work(self, draft: Draft) -> Work:
        overlap = min(_OVERLAP, draft.rate() / (1 + draft.rate()))  # 1 / (1 - overlap) is at most 1 + rate
        documents = document_numbers(draft.reading.starts, draft.job.contexts)
        return Work(draft, documents, windows(documents, self._capacity(draft.job), overlap))

    def _capacity(self, _: Job) -> int:
        return self._causal.window - len(self._start)

    def _rank(self, works: Sequence[Work]) -> None:
        """Order each work's documents, the most surprising first."""
        needed = [w for w in works if w.segment_tokens is None or len(w.draft.job.contexts) > 1]
        self._read_windows([(work, window) for work in needed for window in work.windows])
        for work in works:
            work.order = order(document_means(work, work.surprise)).tolist()

    def _judge(self, works: Sequence[Work]) -> None:
        """Value the tokens of what stays."""
        for work in works:
            if work.segment_tokens is None:
                work.values = work.surprise
            else:
                self._judge_by_segments(work, work.segment_tokens, [self._start], lambda found: found[0])

    def _judge_by_segments(self, work: Work, size: int, prefixes: Sequence[TokenIds], worth: Worth) -> None:
        work.values = judged_by_segments(self._causal, prefixes, worth, work.draft, work.left, size)

    def _read_windows(self, asked: Sequence[tuple[Work, Window]]) -> None:
        """Find the surprise of the tokens of windows; those that were read already are not read again."""
        unread = [(work, window) for work, window in asked if window not in work.states]
        states = self._causal.read([Continuation(self._start, work.ids(window)) for work, window in unread])
        for (work, window), state in zip(unread, states, strict=True):
            work.states[window] = state
        rows = [work.states.pop(window)[window.fresh - window.start :] for work, window in asked]
        ids = [work.draft.reading.ids[window.fresh : window.end] for work, window in asked]
        for (work, window), found in zip(asked, self._causal.surprisals(rows, ids), strict=True):
            work.surprise[window.fresh : window.end] = found

    def _finish(self, work: Work) -> Compressed:
        draft, strategy = work.draft, work.draft.job.strategy
        values = word_means(draft.reading, work.values, draft.words, draft.job.token_to_word)
        choice = chosen(draft, work.kept)
        dropped = choice.dropped
        if strategy.sentence_filter:
            dropped = dropped | self._dropped_sentences(work, dropped)
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

    def _dropped_sentences(self, work: Work, dropped: Mask) -> Mask:
        found = sentences(work.draft.job.text)
        return dropped_sentences(work.draft, found, self._sentence_values(work, found), dropped)

    def _sentence_values(self, work: Work, found: Sequence[tuple[int, int]]) -> npt.NDArray[np.float64]:
        """How much each sentence is worth, `(S,)`: the mean over its tokens."""
        number = sentence_numbers(work.draft.reading.starts, found)  # (T,)
        return grouped_means(number, work.values, len(found))


def document_means(work: Work, values: Surprisals) -> npt.NDArray[np.float64]:
    """The mean token value of each document, `(D,)`."""
    inside = work.documents >= 0
    return grouped_means(work.documents[inside], values[inside], len(work.draft.job.contexts))


def _arrangement(ranked: Sequence[int]) -> list[int]:
    """The best documents at both ends: even ranks forward, then odd ranks backward."""
    return [*ranked[::2], *ranked[1::2][::-1]]
