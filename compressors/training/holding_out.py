"""Which documents a training leaves aside to see how well it does. Knows their names only."""

from __future__ import annotations

from collections.abc import Iterable

ONE_IN = 40
"""Of so many documents, one is held out."""
_FEWEST = 8
"""Documents held out of a small source, but never more than a quarter of it."""


def choose(groups: Iterable[str]) -> frozenset[str]:
    """Those with the lowest digests of `groups`, so that a document is mostly held out of every file that has it."""
    ordered = sorted(groups)
    count = max(len(ordered) // ONE_IN, min(_FEWEST, len(ordered) // 4), 1)
    return frozenset(ordered[:count])
