"""Where JSON stands in a text: all of it, within prose, or in a fence of its own.

Owns the decision which values may be cut into and which belong to something larger, such as a program or a
table. Knows no rules.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, NoReturn

from policies.protection.code import code
from policies.protection.code_lines import Look, look_at
from policies.protection.json_like import json_like
from policies.protection.quotes import inline_code
from policies.protection.spans import Span, subtract, union
from policies.protection.tables import tables

_HEAD = 250  # characters of a line that are looked at
_MARKS = re.compile(r"\W*+(?:(?:nd)?json\w*+)?\W*+", re.IGNORECASE)


class Data(NamedTuple):
    """The data in a text; spans ascend and are disjoint."""

    regions: list[Span]
    """Values, also cut off or malformed ones, with the fences around them."""
    values: list[Span]
    """The objects and arrays in `regions` that are valid JSON."""


def find_data(text: str) -> Data:
    """Find the outermost objects and arrays in `text`; linear in its length.

    A value within code or a table is part of that and not found, unless nothing but data stands there or it is
    what a program answered in a terminal.
    """
    whole = len(text) - len(text.lstrip()), len(text.rstrip())
    if _is_valid(text[slice(*whole)]):
        return Data([whole], [whole])
    found = list(json_like(text))
    if not found:
        return Data([], [])
    outline, places = _outline(text, found)
    blocks = union(chain(code(outline), tables(outline), inline_code(outline, 0, len(outline))))
    rests = (rest for rest in subtract(blocks, places) if not _MARKS.fullmatch(outline, *rest))
    foreign = {_index(blocks, start) for start, _ in rests}
    sessions = {index for index in foreign if _is_session(outline, blocks[index])}
    answers = {place for place in places if _is_line(outline, place) and _index(blocks, place[0]) in sessions}
    foreign -= {_index(blocks, start) for start, _ in answers}
    free = answers.union(subtract(places, [blocks[index] for index in sorted(foreign | sessions)]))
    fences = [block for index, block in enumerate(blocks) if index not in foreign]
    values = [span for span, place in zip(found, places, strict=True) if place in free]
    regions = union(chain(values, _unfolded(fences, found, places)))
    return Data(regions, [span for span in values if _is_valid(text[slice(*span)])])


def _index(blocks: Sequence[Span], at: int) -> int:
    """The number of the last block that begins at `at` or before."""
    return bisect(blocks, (at, sys.maxsize)) - 1


def _is_session(outline: str, block: Span) -> bool:
    lines = outline[slice(*block)].splitlines()
    return any(look_at(line[:_HEAD], in_diff=False) is Look.PROMPT for line in lines)


def _is_line(outline: str, place: Span) -> bool:
    """Whether nothing else stands on the line of `place`."""
    return outline[place[0] - 1 : place[0]] in ("", "\n") and outline[place[1] : place[1] + 1] in ("", "\n")


def _outline(text: str, values: Sequence[Span]) -> tuple[str, list[Span]]:
    """`text` with a single digit for each of `values`, so that they don't look like code themselves."""
    pieces, places, at, length = [], [], 0, 0
    for start, end in values:
        length += start - at
        places.append((length, length + 1))
        pieces += [text[at:start], "0"]
        at, length = end, length + 1
    return "".join([*pieces, text[at:]]), places


def _unfolded(spans: Iterable[Span], values: Sequence[Span], places: Sequence[Span]) -> Iterator[Span]:
    """Where `spans` of an outline lie in its text."""
    ends = [end for _, end in places]

    def offset(at: int) -> int:
        before = bisect(ends, at)
        return at if not before else values[before - 1][1] + at - ends[before - 1]

    return ((offset(start), offset(end)) for start, end in spans)


def _is_valid(text: str) -> bool:
    """Whether `text` is an object or an array by RFC 8259, nested less deep than Python can follow."""
    if not text.startswith(("{", "[")):
        return False
    try:  # numbers may have any number of digits
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
