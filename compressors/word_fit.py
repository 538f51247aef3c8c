"""Does a ranking of words fit the words that a reference kept? Pure functions of scores and labels."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean


def f1_at_reference_rate(scores: Sequence[float], labels: Sequence[int]) -> float:
    """F1 of keeping as many words, best scores first, as the reference did (some); ties go to earlier words.

    Equal numbers make precision, recall and F1 the same.
    """
    kept = sum(labels)
    return sum(_by_score(scores, labels)[:kept]) / kept


def average_precision(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Mean precision at each word that the reference kept (some), in the order of falling `scores`."""
    places = [place for place, label in enumerate(_by_score(scores, labels), 1) if label]
    return fmean(hits / place for hits, place in enumerate(places, 1))


def _by_score(scores: Sequence[float], labels: Sequence[int]) -> list[int]:
    order = sorted(range(len(labels)), key=lambda word: -scores[word])  # stable
    return [labels[word] for word in order]
