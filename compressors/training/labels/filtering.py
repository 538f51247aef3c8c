"""Which samples align too badly to learn from. Knows measures, no texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is left of N samples, and the values from which on they were dropped."""

    kept: npt.NDArray[np.bool_]
    """`(N,)`."""
    highest_variation: float
    highest_gap: float


def filter_samples(
    variation_rates: Sequence[float],
    alignment_gaps: Sequence[float],
    *,
    variation_percentile: float = 95.0,
    gap_percentile: float = 90.0,
) -> Filtered:
    """Drop samples at or above a percentile of variation rate, then of the rest those of alignment gap.

    As LLMLingua-2 does (Pan et al. 2024, section 3.3), but what has no variation or no gap at all is never dropped
    for it, even if it stands at the percentile. Raises `ValueError` without samples.
    """
    if not variation_rates:
        raise ValueError("no samples")
    variations, gaps = np.array(variation_rates), np.array(alignment_gaps)  # (N,) float64
    highest_variation = float(np.percentile(variations, variation_percentile))
    kept = _below(variations, highest_variation)
    highest_gap = float(np.percentile(gaps[kept], gap_percentile)) if kept.any() else 0.0
    return Filtered(kept & _below(gaps, highest_gap), highest_variation, highest_gap)


def _below(values: npt.NDArray[np.float64], highest: float) -> npt.NDArray[np.bool_]:
    below: npt.NDArray[np.bool_] = (values < highest) | (values <= 0)
    return below
