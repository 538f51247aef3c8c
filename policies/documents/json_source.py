"""JSON in a text, with the place of each value. Knows nothing of what the values mean.

What is no JSON is passed over, and reading goes on where it failed, so any text is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

_OPENER = re.compile(r'[\[{](?=\s*+["\[{\]}\-\dtfnNI])')
_TOKEN = re.compile(
    r"""[ \t\r\n]*+(?:
      (?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+")
    | (?P<scalar>-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?|true|false|null|NaN|-?Infinity)  # Python writes these
    | (?P<mark>[\[\]{},:])
    )""",
    re.VERBOSE | re.ASCII,
)
_DEEPEST = 100

Kind = Literal["object", "array", "string", "scalar"]
_BRACKETS: dict[str, Kind] = {"{": "object", "[": "array"}
_CLOSING = {"}": "object", "]": "array"}


@dataclass(slots=True)
class Value:
    """A JSON value in a text."""

    kind: Kind
    start: int
    end: int
    key: str | None = None
    """Its key in the object around it, as it is written there."""
    items: list[Value] = field(default_factory=list)
    """What an object or an array holds."""


def values(text: str) -> Iterator[Value]:
    """Outermost objects and arrays in `text`, also those that are whole within a broken one; ascending."""
    at = 0
    while opener := _OPENER.search(text, at):
        found, at = _read(text, opener.start())
        yield from found


class _Expected(Enum):
    KEY = auto()
    COLON = auto()
    VALUE = auto()
    COMMA = auto()  # or the end


def _read(text: str, start: int) -> tuple[list[Value], int]:
    """The value that begins with the bracket at `start`, or its whole parts; and where reading stopped."""
    stack: list[Value] = []
    at, key, expected, empty = (
        start,
        None,
        _Expected.VALUE,
        False,
    )  # `empty`: nothing yet in the innermost value
    while token := _TOKEN.match(text, at):
        kind, sign = token.lastgroup or "", token["mark"]
        begin, end = token.span(kind)
        if expected is _Expected.KEY and kind == "string":
            key, expected, empty = text[begin + 1 : end - 1], _Expected.COLON, False
        elif expected is _Expected.COLON and sign == ":":
            expected = _Expected.VALUE
        elif expected is _Expected.VALUE and (sign is None or sign in _BRACKETS) and len(stack) < _DEEPEST:
            value = Value(_BRACKETS[sign] if sign else _kind(kind), begin, end, key)
            if stack:
                stack[-1].items.append(value)
            if sign:
                stack.append(value)
            key, empty = None, bool(sign)
            expected = _Expected.COMMA if not sign else _first(value)
        elif expected is _Expected.COMMA and sign == ",":
            expected = _first(stack[-1])
        elif (expected is _Expected.COMMA or empty) and sign and _CLOSING.get(sign) == stack[-1].kind:
            closed = stack.pop()
            closed.end, expected, empty = end, _Expected.COMMA, False
            if not stack:
                return [closed], end
        else:
            break
        at = end
    unfinished = {id(value) for value in stack}
    parts = [part for value in stack for part in value.items if part.items and id(part) not in unfinished]
    return parts, at


def _kind(token: str) -> Kind:
    return "string" if token == "string" else "scalar"


def _first(value: Value) -> _Expected:
    """What comes first in an object or array, and again behind a comma."""
    return _Expected.KEY if value.kind == "object" else _Expected.VALUE
