"""Which words fit a token budget. Knows ranks, estimates and a way to count; no text, no model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

TOLERANCE = 0.01
"""A result this share of the target below it is near enough to stop counting."""
_GUESSES = 6


def largest_fit(count: Callable[[int], int], estimates: npt.NDArray[np.int64], target: float) -> int:
    """How many of the best-ranked words can stay without exceeding `target` tokens.

    `count(m)` gives the real tokens if the first `m` stay; it is costly. `estimates` (`(W+1,)`, rising)
    guesses it. `count(W)` is taken to exceed the target. The result `m` has `count(m) <= target`, and
    is within 1 % of the target or `count(m + 1) > target`; it is 0 if not even one word fits.
    """
    low, high = 0, len(estimates) - 1
    error = 0.0
    guesses = 0
    while high - low > 1:
        if guesses < _GUESSES:
            guess = int(np.searchsorted(estimates, target - error, side="right")) - 1
        else:  # estimates mislead: halve
            guess = (low + high) // 2
        guess = min(max(guess, low + 1), high - 1)
        guesses += 1
        tokens = count(guess)
        if tokens > target:
            high = guess
        else:
            low = guess
            if target - tokens <= TOLERANCE * target:
                break
        error = tokens - float(estimates[guess])
    return low
