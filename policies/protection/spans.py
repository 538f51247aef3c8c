"""Ranges of characters and what can be done with them.

Knows nothing of what the characters mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]
"""A half-open range of character offsets."""
_LONGEST_BRIDGE = 4  # characters
_BLANK = re.compile(r"\s")


def union(spans: Iterable[Span]) -> list[Span]:
    """The characters in any of `spans`, as ascending, disjoint, non-touching, non-empty spans."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        elif start < end:
            merged.append((start, end))
    return merged


def bridge_blanks(text: str, spans: Sequence[Span]) -> list[Span]:
    """Join ascending, disjoint spans that only white space separates."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and text[joined[-1][1] : start].isspace():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def bridge_words(text: str, spans: Sequence[Span]) -> list[Span]:
    """Part ascending, disjoint spans that would become one word without what stands between them.

    Join them over a few characters, else keep the first of these: `56.1(2)` is not `56.12`.
    """
    joined: list[Span] = []
    for start, end in spans:
        first, last = joined[-1] if joined else (0, 0)
        if not last or not _touch(text, last, start):
            joined.append((start, end))
        elif start - last <= _LONGEST_BRIDGE:
            joined[-1] = (first, end)
        else:
            joined[-1] = (first, last + 1)
            joined.append((start, end))
    return joined


def _touch(text: str, end: int, start: int) -> bool:
    """Whether no space parts `text[:end]` from `text[start:]`, but ASCII signs or what stands between ASCII words."""
    borders = text[end - 1] + text[start]
    near = start - end <= _LONGEST_BRIDGE and text[end:start].isascii()
    fuse = borders.isascii() and borders.replace("_", "a").isalnum()
    return (near or fuse) and not _BLANK.search(text, end, start)


def subtract(spans: Iterable[Span], holes: Sequence[Span]) -> Iterator[Span]:
    """What is left of `spans` outside `holes`; both ascending and disjoint."""
    at = 0
    for start, end in spans:
        while at < len(holes) and holes[at][1] <= start:
            at += 1
        rest, ahead = start, at
        while ahead < len(holes) and holes[ahead][0] < end:
            if rest < holes[ahead][0]:
                yield rest, holes[ahead][0]
            rest = holes[ahead][1]
            ahead += 1
        if rest < end:
            yield rest, end


def covers(cover: Sequence[Span], spans: Iterable[Span]) -> bool:
    """Whether every one of `spans` lies within a single span of `cover`; `cover` ascending and disjoint."""
    at = 0
    for start, end in sorted(spans):
        while at < len(cover) and cover[at][1] < end:
            at += 1
        if at == len(cover) or cover[at][0] > start:
            return False
    return True


def outside(spans: Iterable[Span], holes: Sequence[Span]) -> Iterator[Span]:
    """Those of `spans` that don't lie within a single one of `holes`, ascending; `holes` ascending and disjoint."""
    at = 0
    for start, end in sorted(spans):
        while at < len(holes) and holes[at][1] < end:
            at += 1
        if at == len(holes) or start < holes[at][0]:
            yield start, end
