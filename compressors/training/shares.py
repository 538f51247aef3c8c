"""How much of a training each file gets. Knows names and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from compressors.errors import CompressionError


def check(names: Sequence[str], shares: Sequence[float | None]) -> None:
    """Raises `CompressionError` if two files have the same name or if shares leave nothing for the rest."""
    for name in names:
        if names.count(name) > 1:
            raise CompressionError(f"two files are called {name}; their figures could not be told apart")
    given = sum(share for share in shares if share is not None)
    if given >= 1.0 - 1e-9 and None in shares:
        raise CompressionError(f"the shares add up to {given:g}, which leaves nothing for the other files")


def fill(shares: Sequence[float | None], sizes: Sequence[int]) -> list[float]:
    """All shares, adding up to 1; what was not given is divided by size."""
    rest = sum(size for share, size in zip(shares, sizes, strict=True) if share is None)
    left = 1.0 - sum(share for share in shares if share is not None)
    filled = [
        left * size / rest if share is None else share for share, size in zip(shares, sizes, strict=True)
    ]
    return [share / sum(filled) for share in filled]
