"""Does a ranking of words fit the words that a reference kept? Pure functions of scores and labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def f1_at_reference_rate(scores: Sequence[float], labels: Sequence[int]) -> float:
    """F1 of keeping as many words, best scores first, as the reference did (some); ties go to earlier words.

    Equal numbers make precision, recall and F1 the same.
    """
    kept = sum(labels)
    return float(_by_score(scores, labels)[:kept].sum()) / kept


def average_precision(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Mean precision at each word that the reference kept (some), in the order of falling `scores`."""
    hits = _by_score(scores, labels)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits == 1].mean())


def _by_score(scores: Sequence[float], labels: Sequence[int]) -> npt.NDArray[np.int64]:
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    return np.asarray(labels, dtype=np.int64)[order]
