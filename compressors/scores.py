"""Token values to word scores. Knows no model, no budget."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from compressors.reading import Reading
from compressors.words import Words

Scores = npt.NDArray[np.int64]

_STEPS = 256
_EDGE = 1e-12
LOWEST = round(np.log(_EDGE) * _STEPS)
"""The score of a word that surely goes."""


def word_means(
    reading: Reading,
    values: npt.NDArray[np.float32],
    words: Words,
    how: Literal["mean", "first"] = "mean",
    *,
    missing: float = 0.0,
) -> npt.NDArray[np.float64]:
    """The mean, or the first, of each word's token values (`(T,)`); `(W,)` float64.

    A token that reaches into several words counts for each. A word that the tokenizer dropped lies
    between its neighbours; if nothing has tokens, all words get `missing`.
    """
    visible = reading.ends > reading.starts
    starts, ends = reading.starts[visible], reading.ends[visible]
    shown = values[visible].astype(np.float64)
    first = np.searchsorted(ends, words.starts, side="right")  # (W,)
    last = np.searchsorted(starts, words.ends, side="left")
    seen = last > first
    if not seen.any():
        return np.full(len(words), missing)
    if how == "first":
        found = shown[first[seen]]
    else:
        sums = np.concatenate(([0.0], np.cumsum(shown)))
        found = (sums[last] - sums[first])[seen] / (last - first)[seen]
    result: npt.NDArray[np.float64] = np.interp(np.arange(len(words)), np.flatnonzero(seen), found)
    return result


def quantised(probabilities: npt.NDArray[np.float64]) -> Scores:
    """Log odds in steps of 1/256, so that floating-point noise seldom flips a decision; int64."""
    clipped = np.clip(probabilities, _EDGE, 1 - _EDGE)
    scores: Scores = np.rint(np.log(clipped / (1 - clipped)) * _STEPS).astype(np.int64)
    return scores


def quantised_surprise(nats: npt.NDArray[np.float64]) -> Scores:
    """Nats in steps of 1/256, within what log odds may be; int64."""
    scores: Scores = np.rint(np.clip(nats * _STEPS, LOWEST + 2, -LOWEST - 2)).astype(np.int64)
    return scores


def dequantised(scores: Scores) -> npt.NDArray[np.float64]:
    """The probabilities that `scores` stand for."""
    result: npt.NDArray[np.float64] = 1 / (1 + np.exp(-scores / _STEPS))
    return result


def grouped_means(
    number: npt.NDArray[np.int64], values: npt.NDArray[np.float32], groups: int
) -> npt.NDArray[np.float64]:
    """The mean of the `values` of each group, `(groups,)`, where `number` names each value's; 0 for an empty one."""
    sums = np.bincount(number, weights=values, minlength=groups)
    means: npt.NDArray[np.float64] = sums / np.maximum(np.bincount(number, minlength=groups), 1)
    return means
