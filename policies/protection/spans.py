"""Ranges of characters and what can be done with them.

Knows nothing of what the characters mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]
"""A half-open range of character offsets."""


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
