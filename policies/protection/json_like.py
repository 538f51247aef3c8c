"""JSON, JSON Lines, Python and JavaScript literals, also where they were cut off.

Tells values by their shape instead of parsing them, because tool results are often truncated or another
language's. `[1]`, `[1, 2]` and `[see below]` are prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_OPENER = re.compile(r"""[\[{](?=\s{0,80}(?:["'\[{}\]]|-?\d|[tfnTFN]|[A-Za-z_$][\w$]{0,60}\s?:))""")
_STRING = r""""(?:[^"\\]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'"""
# What literals are made of, one after the other. Names stand before a colon, as calls or as values.
_RUN = re.compile(
    rf"""(?: [\s,:\[\]{{}}()]++ | {_STRING} | [-+]?\d[\w.+-]*+
      | [A-Za-z_$][\w$.]*+(?=\s*+[:,()\]}}]) | <[A-Za-z][^<>\n]{{0,200}}>
    )++""",
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(rf"{_STRING}|[\[\]{{}},:]", re.DOTALL)
_CUT_STRING = re.compile(r"""["'][^\n]{0,2000}""")


def json_like(text: str) -> Iterator[Span]:
    """Outermost objects and arrays that hold data, and the beginnings of truncated ones."""
    end = 0
    while opener := _OPENER.search(text, end):
        start = opener.start()
        run = _RUN.match(text, start)
        end = run.end() if run else start + 1
        yield from _values(text, start, end)


def _values(text: str, start: int, end: int) -> Iterator[Span]:
    """Values within the run `text[start:end]`, the last of which may be cut off."""
    depth, first, seen = 0, start, ""  # `seen` holds the first character of each part of the value so far
    for part in _PART.finditer(text, start, end):
        sign = part[0][0]
        if sign in "[{":
            if depth == 0:
                first, seen = part.start(), ""
            depth += 1
        elif sign in "]}" and depth:
            depth -= 1
            if depth == 0 and (part.end() == first + 2 or _is_data(text[first], seen)):
                yield first, part.end()
        seen += sign
    if depth and _is_cut_off(seen):
        rest = _CUT_STRING.match(text, end)
        yield first, rest.end() if rest else end


def _is_data(opener: str, seen: str) -> bool:
    strings = seen.count('"') + seen.count("'")
    return ":" in seen if opener == "{" else strings > 0 or "{" in seen or seen.count(",") > 2


def _is_cut_off(seen: str) -> bool:
    strings = seen.count('"') + seen.count("'")
    return (seen.count(":") > 1 and strings > 1) or (strings > 3 and seen.count(",") > 2)
