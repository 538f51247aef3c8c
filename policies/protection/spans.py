"""Ranges of characters and what can be done with them.

Knows nothing of what the characters mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

Span = tuple[int, int]
"""A half-open range of character offsets."""
_IN_WORD = re.compile(r"\w", re.ASCII)
_SIGN = re.compile(r"[!-/:-@\[-^`{-~·–—…]")
_LONGEST_JOINT = 4  # signs
_JOINT = re.compile(rf"{_SIGN.pattern}{{1,{_LONGEST_JOINT}}}(?=\w)", re.ASCII)
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


def with_joints(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """`spans` with the signs that join them to other words: without its bracket, `f(x` would become `fx`."""
    for start, end in spans:
        after = _JOINT.match(text, end) if _IN_WORD.match(text, end - 1) else None
        before = start
        if _IN_WORD.match(text, start):
            while before > 0 and start - before < _LONGEST_JOINT and _SIGN.match(text, before - 1):
                before -= 1
        yield before if _IN_WORD.match(text, before - 1) else start, after.end() if after else end


def part(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Ascending, disjoint spans, with a sign after those that would become one word with the next: `1、a` not `1a`."""
    for (start, end), following in zip_longest(spans, spans[1:]):
        fused = following is not None and _is_fused(text, end, following[0])
        yield start, end + fused


def _is_fused(text: str, end: int, start: int) -> bool:
    words = _IN_WORD.match(text, end - 1) and _IN_WORD.match(text, start)
    return words is not None and end < start and not _BLANK.search(text, end, start)


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
