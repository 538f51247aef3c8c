"""JSON, JSON Lines, Python and JavaScript literals, also where they were cut off.

Recognises values by their shape. `[1]`, `[1, 2]` and `[see below]` are prose.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from policies.protection.spans import Span

_OPENER = re.compile(r"""[\[{](?=\s{0,80}(?:["'\[{}\]]|-?\d|[tfnTFN]|[A-Za-z_$][\w$]{0,60}\s?:))""")
_DECODER = json.JSONDecoder(strict=False)
# What literals of JSON, Python and JavaScript are made of. Names stand before a colon, as calls or as values.
_RUN = re.compile(
    r"""(?:
        [\s,:\[\]{}()]++
      | "(?:[^"\\]|\\.)*+" | '(?:[^'\\\n]|\\.)*+'
      | [-+]?\d[\w.+-]*+
      | [A-Za-z_$][\w$.]*+(?=\s{0,9}[:,(\]}])
      | <[A-Za-z][^<>\n]{0,200}>
    )++""",
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r"""["](?:[^"\\]|\\.)*+["]|'(?:[^'\\\n]|\\.)*+'|[\[\]{},:]""", re.DOTALL)
_CUT_STRING = re.compile(r"""["'][^\n]{0,2000}""")


def json_like(text: str) -> Iterator[Span]:
    """Outermost objects and arrays that hold data, and the beginnings of truncated ones."""
    at = 0
    while opener := _OPENER.search(text, at):
        start = opener.start()
        try:
            value, at = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            run = _RUN.match(text, start)
            at = max(run.end(), start + 1) if run else start + 1
            yield from _literals(text, start, at)
        else:
            if _is_data(value) or text[start:at] in ("{}", "[]"):
                yield start, at


def _is_data(value: object) -> bool:
    if isinstance(value, list):
        return len(value) > 3 or any(not isinstance(item, (int, float)) for item in value)
    return bool(value)


def _literals(text: str, start: int, end: int) -> Iterator[Span]:
    """Values among the literals in `text[start:end]`, the last of which may be cut off."""
    depth, first, seen = 0, start, Counter[str]()
    for part in _PART.finditer(text, start, end):
        sign = part[0][0]
        if sign in "[{":
            if depth == 0:
                first, seen = part.start(), Counter()
            depth += 1
        elif sign in "]}" and depth:
            depth -= 1
            if depth == 0 and _looks_like_data(text[first], seen):
                yield first, part.end()
        seen[sign] += 1
    if depth and _looks_cut_off(seen):
        rest = _CUT_STRING.match(text, end)
        yield first, rest.end() if rest else end


def _looks_like_data(opener: str, seen: Counter[str]) -> bool:
    strings = seen['"'] + seen["'"]
    return seen[":"] > 0 if opener == "{" else strings > 0 or seen[","] > 2


def _looks_cut_off(seen: Counter[str]) -> bool:
    strings = seen['"'] + seen["'"]
    return (seen[":"] > 1 and strings > 1) or (strings > 3 and seen[","] > 2)
