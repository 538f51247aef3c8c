"""Ranking as part of a job's passes: models in units, on the thread of models.

Knows no causal model and no budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from compressors.base import Job, Span
from compressors.errors import CompressionError
from compressors.passes import Unit
from compressors.ranking import Ranker, RankScores, needs_model

OWN = "perplexity"
"""The ranker that is a causal model's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Texts that a model is to rank, each for itself."""

    ranker: str
    question: str
    texts: Sequence[str]

    def __len__(self) -> int:
        """Tokens that are read, by a guess that needs no tokenizer."""
        return sum(map(self._tokens, self.texts))

    def _tokens(self, text: str) -> int:
        return (len(text) + len(self.question)) // 3 + 1

    def parts(self, limit_tokens: int) -> Iterator[Ranked]:
        """The same texts in order, in units of at most `limit_tokens` where no single text is longer."""
        part: list[str] = []
        taken = 0
        for text in self.texts:
            taken += self._tokens(text)
            if part and taken > limit_tokens:
                yield Ranked(self.ranker, self.question, part)
                part, taken = [], self._tokens(text)
            part.append(text)
        if part:
            yield Ranked(self.ranker, self.question, part)


Rankings = Generator[Sequence[Unit], Sequence[Any], list[RankScores]]
"""Part of a job's passes that asks several rankers."""


class Rankers:
    """The rankers of one compressor, each loaded when it is first asked."""

    def __init__(self, load: Callable[[str], Ranker], unit_tokens: int) -> None:
        """`load` gives a ranker by name; those that are models read at most about `unit_tokens` at a time."""
        self._ranker = cache(load)
        self._unit_tokens = unit_tokens

    def scores(self, job: Job, spans: Sequence[Span]) -> Rankings:
        """How well those of the job's rankers that need no causal model find each of `spans` to fit the question."""
        texts = [job.text[start:end] for start, end in spans]
        found = []
        for name in job.strategy.rankers:
            if needs_model(name):
                units = list(Ranked(name, job.question, texts).parts(self._unit_tokens))
                found.append(_joined((yield units) if units else ()))
            elif name != OWN:
                found.append(self._ranker(name).scores(job.question, texts))
        return found

    def forward(self, units: Sequence[Any], model: Callable[[list[Any]], list[Any]]) -> list[Any]:
        """What rankers, or else `model`, make of each unit."""
        found = iter(model([unit for unit in units if not isinstance(unit, Ranked)]))
        return [self._answer(unit) if isinstance(unit, Ranked) else next(found) for unit in units]

    def _answer(self, unit: Ranked) -> RankScores | CompressionError:
        """The scores of a unit's texts, or why there are none: other units of the batch can't help that."""
        try:
            return self._ranker(unit.ranker).scores(unit.question, unit.texts)
        except CompressionError as error:
            return error


def _joined(answers: Sequence[RankScores | CompressionError]) -> RankScores:
    """The scores of all parts, in order; raises the first error among them."""
    for found in answers:
        if isinstance(found, CompressionError):
            raise found
    return np.concatenate([np.zeros(0), *answers])
