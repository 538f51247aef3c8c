"""What must hold of a shortened text, checked after the fact.

Looks for digits, negations, tags, names, addresses and lines in fences by simple means of its own, so that a
mistake in `protection` or in a compressor is noticed instead of sent. Knows neither.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import pairwise
from typing import Literal

from policies.protection import Protection, ProtectKind, Span
from policies.protection.spans import covers, outside, union

Violation = Literal[
    "disorder",
    "longer",
    "lost_span",
    "lost_number",
    "lost_negation",
    "lost_tag",
    "lost_identifier",
    "lost_address",
    "lost_code",
]

_NAMES: dict[ProtectKind, Violation] = {
    "numbers": "lost_number",
    "negations": "lost_negation",
    "tags": "lost_tag",
    "identifiers": "lost_identifier",
    "urls": "lost_address",
    "code": "lost_code",
}
# Each pattern begins with what is rare in prose, so that the search skips to it.
_WITNESSES: dict[ProtectKind, tuple[re.Pattern[str], ...]] = {
    "numbers": (re.compile(r"\d+"),),
    "negations": (
        re.compile(r"['’][tT](?<=[nN].[tT])\b"),
        re.compile(r"不|(?<![沉淹埋出吞])没有|至少|最多|ません|ない(?!し)|않|없|아니"),
    ),
    "tags": (re.compile(r"</?[A-Za-z][A-Za-z0-9]*>|\{\{\w+\}\}|<\|\w+\|>"),),
    "identifiers": (
        re.compile(r"_(?<=[A-Za-z]_)\w+", re.ASCII),  # snake_case
        re.compile(r"[a-z][A-Z]\w*", re.ASCII),  # camelCase
        re.compile(r"\.(?<=[a-z]{2}\.)[a-z]{2,}(?!\w)", re.ASCII),  # dotted.name
        re.compile(r"(?<!\w)(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{7,64}(?!\w)", re.ASCII),  # 4f3a9c1
    ),
    "urls": (
        re.compile(r"https?://\w[\w.-]*\w(?:/[\w/.-]*\w)?", re.ASCII),
        re.compile(r"@(?<=\w@)[\w-]+(?:\.[\w-]+)+", re.ASCII),  # me@x.org
        re.compile(r"/(?<!\S/)\w{2,}(?:/\w+)+", re.ASCII),  # /etc/hosts
    ),
}
_NEGATIONS = frozenset(
    """not no never none nor neither nobody nothing without except unless only cannot
    nicht nichts nie niemals kein keine keinen keinem keiner ohne mindestens höchstens ne pas jamais sans aucun aucune
    nunca jamás nadie ninguno ninguna sin excepto""".split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W\d_]+")
_LINE = re.compile(r"[^\n]+")
_FENCE = re.compile(r"^[ \t>]*(?:[-*+] +|\d+[.)] +)?(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)


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
    `protection` is what had to survive of it, and of `kinds` the digits, negations, tags, identifiers, addresses
    and lines in fences are looked for anew.
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
    for kind, name in _NAMES.items():
        if kind in kinds and not covers(cover, outside(_witnesses(original, kind, documents), dropped)):
            lost.append(name)
    return tuple(lost)


def _witnesses(text: str, kind: ProtectKind, documents: Sequence[Span]) -> Iterator[Span]:
    """What of `kind` must be found again."""
    for pattern in _WITNESSES.get(kind, ()):
        yield from (match.span() for match in pattern.finditer(text))
    if kind == "negations":
        yield from (word.span() for word in _WORD.finditer(text) if word[0].casefold() in _NEGATIONS)
    if kind == "code":
        for part in documents or [(0, len(text))]:
            yield from _fenced_lines(text, part)


def _fenced_lines(text: str, part: Span) -> Iterator[Span]:
    """What stands between fences in `part` of `text`, line by line; an unclosed fence is left to `protection`."""
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text, *part):
        if opening is None:
            opening = fence
        elif fence[1].startswith(opening[1]) and not fence[2].strip():
            yield from (line.span() for line in _LINE.finditer(text, opening.end(), fence.start()))
            opening = None


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
