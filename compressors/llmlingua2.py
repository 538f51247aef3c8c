"""LLMLingua-2 (Pan et al., Findings of ACL 2024): keep the words a token classifier holds for needed.

Owns the default mode's decisions, from a job's draft to the words that stay. Knows no tensors and no
batches (`encoder`), not which words must stay (`drafting`), nor how a budget is met (`selection`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compressors.base import Compressed, Job
from compressors.clauses import tied_to_clauses
from compressors.documents import best_documents
from compressors.drafting import Draft, Drafter
from compressors.encoder import Encoder, Probabilities
from compressors.identity import no_questions
from compressors.legibility import Literacy
from compressors.passes import Passes, compress
from compressors.questions import Questions
from compressors.reading import Reader, TokenIds
from compressors.scores import quantised, word_means
from compressors.selection import Selection, composed


class LLMLingua2:
    """The default mode: exact budgets, faithful white space, no text that the model can't read.

    A job whose strategy is `question_aware` is read for its question, which stands before every chunk of the text;
    `questions` puts it there. Without a question the text is read as by any other job.
    """

    def __init__(
        self,
        reader: Reader,
        encoder: Encoder,
        fingerprint: str,
        *,
        model: str,
        questions: Questions | None,
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
        self._drafter = Drafter(reader, literacy, unreadable_share)

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order; one pass of the model over all of them."""
        return compress(self, jobs)

    def passes(self, job: Job) -> Passes:
        """One pass: the chunks of the job's text, each as the model reads it.

        Raises `ModelError` if the job is to be read for a question by a model that reads none.
        """
        prefix = self._prefix(job)
        draft = self._drafter.draft(job)
        if isinstance(draft, Compressed):
            return draft
        reader, reading = self._reader, draft.reading
        chunks = reader.chunks(reading, job.text, draft.words, job.chunk_end_tokens, reader.room(prefix))
        rows: Sequence[Probabilities] = yield [reader.sequence(reading, chunk, prefix) for chunk in chunks]
        head, tail = len(prefix), len(reader.suffix)
        return _decide(draft, np.concatenate([row[head : len(row) - tail] for row in rows]))

    def forward(self, units: Sequence[TokenIds]) -> list[Probabilities]:
        """How likely each token of each sequence stays."""
        return self._encoder.keep_probabilities(units)

    def _prefix(self, job: Job) -> TokenIds:
        """What the model reads before each chunk of the job's text."""
        if not job.strategy.question_aware:
            return self._reader.prefix
        if self._questions is None:
            raise no_questions(self._model)
        return self._questions.prefix(job.question)


def _decide(draft: Draft, probabilities: Probabilities) -> Compressed:
    job = draft.job
    raw = word_means(draft.reading, probabilities, draft.words, job.token_to_word, missing=0.5)
    scores = tied_to_clauses(quantised(raw), job.text, draft.words, draft.pinned | draft.wanted)
    target = draft.target()
    if job.context_rate is not None:
        share = job.context_rate
    elif job.min_probability is not None or not job.strategy.document_filter:
        share = 1.0
    else:  # half of the way, as the llmlingua package does
        share = (1 + target / max(draft.original_tokens, 1)) / 2
    choice = best_documents(draft, raw, share)
    selection = Selection(draft, scores, choice.dropped, choice.joints)
    kept = selection.within(target) if job.min_probability is None else selection.above(job.min_probability)
    return composed(draft, selection, kept, scores, choice.dropped)
