"""JSON read with the places of what matters, so that texts can be replaced and all else stays as it came.

Knows no API: which keys matter is said by tables of readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, NamedTuple

Reader = Callable[[str, int], tuple[Any, int]]
"""From a source and the place of a value in it to the value and the place after it; raises what `json` raises,
IndexError where the source ends too early."""
# Numbers are only walked over: read as strings they cost nothing and have no limit of digits.
read_any: Reader = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode
_space = re.compile(r"[ \t\n\r]*")
_key = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*+)"[ \t\n\r]*:[ \t\n\r]*').match
_mark = re.compile(r"[ \t\n\r]*([,\]}])[ \t\n\r]*").match


class String(NamedTuple):
    """A string with its place in the source."""

    text: str
    start: int
    end: int


def read_string(source: str, at: int) -> tuple[Any, int]:
    """Read a string as a `String`; anything else is read as it is."""
    if source[at] != '"':
        return read_any(source, at)
    text, end = scanstring(source, at + 1, True)
    return String(text, at, end), end


def after_space(source: str, at: int) -> int:
    """The place of the first character from `at` on that isn't white space."""
    match = _space.match(source, at)
    return match.end() if match else at


def read_array(source: str, at: int, item: Reader) -> tuple[Any, int]:
    """Read an array with `item` for its values; anything but an array is read as it is."""
    if source[at] != "[":
        return read_any(source, at)
    values: list[Any] = []
    at = after_space(source, at + 1)
    if source[at] == "]":
        return values, at + 1
    while True:
        value, at = item(source, at)
        values.append(value)
        mark = _mark(source, at)
        if mark is None or mark[1] == "}":
            raise json.JSONDecodeError("Expecting ',' or ']'", source, at)
        at = mark.end()
        if mark[1] == "]":
            return values, at


def read_object(source: str, at: int, readers: Mapping[str, Reader]) -> tuple[dict[str, Any], int]:
    """Read an object, values of the keys in `readers` by those; a key given twice is left out."""
    if source[at] != "{":
        raise json.JSONDecodeError("Expecting an object", source, at)
    values: dict[str, Any] = {}
    twice: set[str] = set()
    at = after_space(source, at + 1)
    if source[at] == "}":
        return values, at + 1
    while True:
        start = _key(source, at)
        if start is None:
            raise json.JSONDecodeError("Expecting a key in double quotes and a colon", source, at)
        key = start[1] if "\\" not in start[1] else scanstring(source, at + 1, True)[0]
        if key in values:
            twice.add(key)
        values[key], at = readers.get(key, read_any)(source, start.end())
        mark = _mark(source, at)
        if mark is None or mark[1] == "]":
            raise json.JSONDecodeError("Expecting ',' or '}'", source, at)
        at = mark.end()
        if mark[1] == "}":
            return {k: v for k, v in values.items() if k not in twice} if twice else values, at


def quoted(text: str) -> bytes:
    """`text` as a JSON string."""
    try:
        return encode_basestring(text).encode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 can't hold, stays an escape
        return encode_basestring_ascii(text).encode()
