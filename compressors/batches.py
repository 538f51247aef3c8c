"""Sequences of different lengths in batches with little padding. Knows lengths only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], budget: int, waste: int | None = None) -> Iterator[list[int]]:
    """Indices grouped by falling length, so that a group's count times its longest fits the budget.

    A sequence that is longer than the budget goes alone. With `waste`, a group has at most so many tokens of
    padding, or none where one more sequence would bring it over.
    """
    batch: list[int] = []
    padding = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch:
            longest = lengths[batch[0]]
            padding += longest - lengths[i]
            if (len(batch) + 1) * longest > budget or (waste is not None and padding > waste):
                yield batch
                batch = []
        if not batch:
            padding = 0
        batch.append(i)
    if batch:
        yield batch


def fills(lengths: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """Runs of sequences that together fit the budget, as ranges; one that is longer is a run of its own."""
    low = total = 0
    for place, length in enumerate(lengths):
        if place > low and total + length > budget:
            yield low, place
            low, total = place, 0
        total += length
    if low < len(lengths):
        yield low, len(lengths)
