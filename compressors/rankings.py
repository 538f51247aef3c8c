"""Ranking by models as part of a job's passes: in units, on the thread of models.

Knows no causal model and no budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from compressors.errors import CompressionError
from compressors.ranking import Ranker, RankScores


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


def answer(unit: Ranked, ranker: Callable[[str], Ranker]) -> RankScores | CompressionError:
    """The scores of a unit's texts, or why there are none: other units of the batch can't help that."""
    try:
        return ranker(unit.ranker).scores(unit.question, unit.texts)
    except CompressionError as error:
        return error


def joined(answers: Sequence[RankScores | CompressionError]) -> RankScores:
    """The scores of all parts, in order; raises the first error among them."""
    for found in answers:
        if isinstance(found, CompressionError):
            raise found
    return np.concatenate([np.zeros(0), *answers])
