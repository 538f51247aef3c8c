"""From kept character ranges to text. Knows no model; cheap to import."""

from __future__ import annotations

from collections.abc import Sequence

from compressors.base import Span


def render(text: str, spans: Sequence[Span]) -> str:
    """The characters of `text` that `spans` (ascending, disjoint) hold, in order."""
    return "".join([text[start:end] for start, end in spans])
