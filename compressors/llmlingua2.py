"""LLMLingua-2 (Pan et al., Findings of ACL 2024): keep the words a token classifier holds for needed.

Owns the default mode's decisions, from a job's draft to the words that stay. Knows no tensors and no
batches (`encoder`), not which words must stay (`drafting`), nor how a budget is met (`selection`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np

from compressors.base import Compressed, Job, Span
from compressors.clauses import tied_to_clauses
from compressors.controller import kept_documents
from compressors.documents import Choice, best_documents, chosen
from compressors.drafting import Draft, Drafter
from compressors.encoder import Encoder, Probabilities
from compressors.identity import no_questions
from compressors.legibility import Literacy
from compressors.passes import Passes, Unit, compress
from compressors.questions import Questions
from compressors.ranking import Ranker, combined, order
from compressors.rankings import Rankers
from compressors.reading import Reader, TokenIds
from compressors.scores import quantised, word_means
from compressors.selection import Selection, composed

Choosing = Generator[Sequence[Unit], Sequence[Any], Choice | None]
"""Part of a job's passes that chooses documents."""


class LLMLingua2:
    """The default mode: exact budgets, faithful white space, no text that the model can't read.

    A job whose strategy is `question_aware` is read for its question, which stands before every chunk of the text;
    `questions` puts it there. Of several documents those that fit the question best stay, as in LongLLMLingua, and only
    they are read. Without a question the text is read as by any other job.
    """

    def __init__(
        self,
        reader: Reader,
        encoder: Encoder,
        fingerprint: str,
        *,
        model: str,
        questions: Questions | None,
        rankers: Callable[[str], Ranker],
        literacy: Literacy,
        unreadable_share: float,
        device: str,
        batch_tokens: int,
    ) -> None:
        self.fingerprint = fingerprint
        self.device = device
        self.batch_tokens = batch_tokens
        self._reader = reader
        self._encoder = encoder
        self._model = model
        self._questions = questions
        self._rankers = Rankers(rankers, batch_tokens)
        self._drafter = Drafter(reader, literacy, unreadable_share)

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order; one pass of the model over all of them, behind their rankings."""
        return compress(self, jobs)

    def passes(self, job: Job) -> Passes:
        """One pass: the chunks of the job's text, each as the model reads it; before that, if need be, rankings.

        Raises `ModelError` if the job is to be read for a question by a model that reads none.
        """
        prefix = self._prefix(job)
        draft = self._drafter.draft(job)
        if isinstance(draft, Compressed):
            return draft
        choice = yield from self._chosen(draft)
        reader, reading = self._reader, draft.reading
        chunks = reader.chunks(reading, job.text, draft.words, job.chunk_end_tokens, reader.room(prefix))
        read = [chunk for chunk in chunks if choice is None or not _is_dropped(draft, chunk, choice)]
        units = [reader.sequence(reading, chunk, prefix) for chunk in read]
        rows: Sequence[Probabilities] = (yield units) if units else ()
        head, tail = len(prefix), len(reader.suffix)
        probabilities = np.zeros(len(reading.ids), np.float32)  # (T,)
        for (low, high), row in zip(read, rows, strict=True):
            probabilities[low:high] = row[head : len(row) - tail]
        return _decide(draft, probabilities, choice)

    def _chosen(self, draft: Draft) -> Choosing:
        """The documents that stay by the job's rankers; None if its words are to tell."""
        job, strategy = draft.job, draft.job.strategy
        is_asked = strategy.question_aware and bool(job.question.strip()) and len(job.contexts) > 1
        has_budget = strategy.document_filter and job.context_rate is None and job.min_probability is None
        if not (is_asked and has_budget):
            return None
        scores = yield from self._rankers.scores(job, job.contexts)
        return chosen(draft, kept_documents(draft, order(combined(scores)).tolist())) if scores else None

    def forward(self, units: Sequence[Any]) -> list[Any]:
        """How likely each token of each sequence stays, or what a ranker that is a model makes of a unit."""
        return self._rankers.forward(units, self._encoder.keep_probabilities)

    def _prefix(self, job: Job) -> TokenIds:
        """What the model reads before each chunk of the job's text."""
        if not job.strategy.question_aware:
            return self._reader.prefix
        if self._questions is None:
            raise no_questions(self._model)
        return self._questions.prefix(job.question)


def _is_dropped(draft: Draft, chunk: Span, choice: Choice) -> bool:
    """Whether all words of some tokens go with their documents."""
    low, high = chunk
    words = np.searchsorted(draft.words.ends, draft.reading.starts[low:high], side="right")
    return bool(choice.dropped[words[words < len(choice.dropped)]].all())


def _decide(draft: Draft, probabilities: Probabilities, choice: Choice | None) -> Compressed:
    job = draft.job
    raw = word_means(draft.reading, probabilities, draft.words, job.token_to_word, missing=0.5)
    scores = tied_to_clauses(quantised(raw), job.text, draft.words, draft.pinned | draft.wanted)
    target = draft.target()
    if choice is None:
        choice = best_documents(draft, raw, _document_share(draft))
    selection = Selection(draft, scores, choice.dropped, choice.joints)
    kept = selection.within(target) if job.min_probability is None else selection.above(job.min_probability)
    return composed(draft, selection, kept, scores, choice.dropped)


def _document_share(draft: Draft) -> float:
    """Of all tokens that of the documents which stay."""
    job = draft.job
    if job.context_rate is not None:
        return job.context_rate
    if job.min_probability is not None or not job.strategy.document_filter:
        return 1.0
    # half of the way, as the llmlingua package does
    return (1 + draft.target() / max(draft.original_tokens, 1)) / 2
