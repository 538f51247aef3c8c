"""What a ranker gives, and what scores become: an order, or one score out of several rankers'.

Knows no texts, no models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

RankScores = npt.NDArray[np.float64]

_STEPS = 1e5


@runtime_checkable
class Ranker(Protocol):
    """Says how well documents, or sentences, fit a question."""

    name: str
    """What `load_ranker` was given."""
    fingerprint: str
    """Names the method, the model and our own version of both; not the versions of the libraries."""

    def scores(self, question: str, documents: Sequence[str]) -> RankScores:
        """A score for each document, higher is better; finite, `(D,)` float64.

        Scores of different calls can't be compared: they may depend on all documents of the call.
        """


def order(scores: RankScores) -> npt.NDArray[np.int64]:
    """The documents' indices, best first, ties by position; `(D,)` int64.

    Scores that differ by less than about 1e-5 of the largest are ties, so that floating-point noise
    seldom flips the order.
    """
    return np.argsort(-_quantised(scores), kind="stable")


def combined(scores: Sequence[RankScores]) -> RankScores:
    """One score for each document out of several rankers' (each `(D,)`); `(D,)` float64.

    The sum of the standard scores, mean 0 and deviation 1 within each ranker (ZMUV with CombSUM:
    Montague & Aslam 2001, "Relevance score normalization for metasearch"). No parameter, no unit, and
    how far a document stands out counts, which is what finds one good document among many poor ones;
    ranks alone (reciprocal rank fusion) forget it. A ranker to which all documents are equal has no say.
    """
    total = np.zeros_like(scores[0], dtype=np.float64)
    for given in scores:
        steps = _quantised(given)
        deviation = steps.std() if len(steps) else 0.0
        if deviation > 0:
            total += (steps - steps.mean()) / deviation
    return total


def _quantised(scores: RankScores) -> RankScores:
    largest = np.abs(scores).max(initial=0.0)
    return np.rint(scores / largest * _STEPS) if largest > 0 else np.zeros_like(scores)
