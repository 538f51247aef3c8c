"""What must hold of a shortened text, checked after the fact.

Looks for digits, negations and tags by simple means of its own, so that a mistake in `protection` or in a
compressor is noticed instead of sent. Knows neither.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from heapq import merge
from itertools import pairwise
from typing import Literal

from policies.protection import Protection, ProtectKind, Span
from policies.protection.spans import covers, outside, union

Violation = Literal["disorder", "longer", "lost_span", "lost_number", "lost_negation", "lost_tag"]

_WITNESSES: dict[ProtectKind, tuple[Violation, re.Pattern[str]]] = {
    "numbers": ("lost_number", re.compile(r"\d+")),
    "negations": (
        "lost_negation",
        re.compile(
            r"\b(?:not|no|never|none|nor|without|except|unless|only|cannot|nicht|kein|keine|ohne|pas|jamais|sans|nunca)\b"
            r"|n['’]t\b|不|ません|않|없",
            re.IGNORECASE,
        ),
    ),
    "tags": ("lost_tag", re.compile(r"</?[A-Za-z][A-Za-z0-9]*>|\{\{\w+\}\}|<\|\w+\|>")),
}


def violations(
    original: str,
    kept: Sequence[Span],
    protection: Protection,
    kinds: Collection[ProtectKind],
    *,
    documents: Sequence[Span] = (),
    dropped: Sequence[Span] = (),
) -> tuple[Violation, ...]:
    """Name what is wrong with keeping only the spans `kept` of `original`; empty if nothing is.

    `original` is the text that was given to the compressor, without markup that is stripped in any case;
    `protection` is what had to survive of it, and of `kinds` the digits, negations and tags are counted anew.
    `documents` may have changed places, and what lies within `dropped` went as a whole. `disorder` (spans that
    are empty, overlap, lie outside the text or, within a document or outside of all, descend) excludes the
    other checks but `longer`. Linear in the length of the text.
    """
    longer: tuple[Violation, ...] = (
        ("longer",) if sum(end - start for start, end in kept) > len(original) else ()
    )
    ordered = _put_back(kept, documents) if documents else kept
    if not _in_order(ordered, len(original)):
        return ("disorder", *longer)
    cover = union(ordered)
    lost: list[Violation] = []
    if not covers(cover, outside((*protection.blocks, *protection.inline), dropped)):
        lost.append("lost_span")
    for kind, (name, witness) in _WITNESSES.items():
        found = (match.span() for match in witness.finditer(original))
        if kind in kinds and not covers(cover, outside(found, dropped)):
            lost.append(name)
    return tuple(lost)


def _put_back(kept: Sequence[Span], documents: Sequence[Span]) -> list[Span]:
    """The spans with each document in its place again; documents stay in one piece, so their order tells."""
    starts = [start for start, _ in documents]
    edges = sorted({edge for document in documents for edge in document})
    runs: dict[int, list[Span]] = {}
    for start, end in kept:
        inner = edges[bisect_right(edges, start) : bisect_left(edges, end)]
        for piece in pairwise([start, *inner, end]):
            number = bisect_right(starts, piece[0]) - 1
            inside = number >= 0 and piece[0] < documents[number][1]
            runs.setdefault(number if inside else -1, []).append(piece)
    around = runs.pop(-1, [])
    return list(merge(around, *runs.values()))


def _in_order(spans: Sequence[Span], length: int) -> bool:
    """Whether the spans make a subsequence: ascending, disjoint, not empty, within `length` characters."""
    if any(start >= end for start, end in spans):
        return False
    if spans and (spans[0][0] < 0 or spans[-1][1] > length):
        return False
    return all(left[1] <= right[0] for left, right in pairwise(spans))
