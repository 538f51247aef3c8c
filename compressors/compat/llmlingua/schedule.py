"""How much stays of which tokens, window by window, as `llmlingua` 0.2.2 divides them. Knows counts only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """Neighbouring tokens that are judged by one threshold."""

    tokens: int
    rate: float
    """The share that stays, in [0, 1]."""


Schedule = list[list[Part]]
"""For each window its parts."""


def scheduled(lengths: Sequence[int], shifts: Sequence[float], target: float, size: int) -> Schedule:
    """The parts of contexts of `lengths` tokens in windows of `size`, the first of which is one shorter.

    Each context's rate is what the `target` allows for all, plus its shift.
    """
    share = target / (sum(lengths) + 1)
    rates = [max(min(1, share + shift), 0) for shift in shifts]
    windows: Schedule = []
    current: list[Part] = []
    fill = 1
    for length, rate in zip(lengths, rates, strict=False):
        if fill + length < size:
            fill += length
            current.append(Part(length, rate))
            continue
        windows.append([*current, Part(size - fill, rate)])
        fill += length - size
        if fill > size:  # a window that is just full stays open
            windows += [[Part(size, rate)]] * (fill // size)
            fill %= size
        current = [Part(fill, rate)] if fill else []
    return [*windows, current] if current else windows


def run_lengths(rates: Iterable[float], size: int) -> Schedule:
    """The parts of tokens with the given `rates`, one a token, in windows of `size`."""
    windows: Schedule = []
    for place, rate in enumerate(rates):
        if place % size == 0:
            windows.append([])
        parts = windows[-1]
        if parts and parts[-1].rate == rate:
            parts[-1] = Part(parts[-1].tokens + 1, rate)
        else:
            parts.append(Part(1, rate))
    return windows
