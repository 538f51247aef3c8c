"""Chat completions: the texts of a request body and their exact places in it.

The body is never re-encoded: shortened texts are spliced into the JSON source, so that everything else (key
order, digits, unknown fields) stays as it came. Knows neither policies nor sockets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, NamedTuple

from proxy.errors import MalformedJsonError

SUFFIX = "/chat/completions"

_Reader = Callable[[str, int], tuple[Any, int]]
# Numbers are only walked over: read as strings they cost nothing and have no limit of digits.
_any = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode
_space = re.compile(r"[ \t\n\r]*")
_key = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*+)"[ \t\n\r]*:[ \t\n\r]*').match
_mark = re.compile(r"[ \t\n\r]*([,\]}])[ \t\n\r]*").match


class Slot(NamedTuple):
    """One text of a message; `start` and `end` are the places of its JSON string, quotes included."""

    message: int
    role: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ChatBody:
    """A request body as it came, with the places of its texts."""

    source: str
    model: str
    roles: tuple[str, ...]
    """The role of each message; empty where it has none."""
    slots: tuple[Slot, ...]

    def with_texts(self, texts: Mapping[int, str]) -> bytes:
        """The body with slot number i replaced by `texts[i]`; all else is copied."""
        pieces: list[bytes] = []
        at = 0
        for number in sorted(texts):
            slot = self.slots[number]
            # Without escapes in the source, there is nothing to escape in a part of it either.
            plain = slot.end - slot.start == len(slot.text) + 2
            quoted = f'"{texts[number]}"'.encode() if plain else _quoted(texts[number])
            pieces += (self.source[at : slot.start].encode(), quoted)
            at = slot.end
        pieces.append(self.source[at:].encode())
        return b"".join(pieces)


def parse(body: bytes) -> ChatBody:
    """Find the texts of a chat-completions request.

    Texts are string contents and `text` parts of content lists. A key given twice hides the texts below it:
    which one the upstream reads is unknown. Raises `MalformedJsonError` if `body` isn't a JSON object in UTF-8.
    """
    try:
        source = body.decode("utf-8")
        top, end = _object(source, _after_space(source, 0), _TOP)
        if end != len(source):
            raise MalformedJsonError(f"the request body goes on after its JSON object, at character {end}")
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"the request body is not UTF-8, at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise MalformedJsonError(
            f"the request body is not JSON: {error.msg} at character {error.pos}"
        ) from error
    except IndexError as error:
        raise MalformedJsonError("the request body ends before its JSON object does") from error
    except RecursionError as error:
        raise MalformedJsonError("the request body is nested too deeply") from error
    messages = top.get("messages")
    messages = messages if isinstance(messages, list) else []
    model = top.get("model")
    roles = tuple(map(_role, messages))
    return ChatBody(source, model if isinstance(model, str) else "", roles, tuple(_slots(messages, roles)))


def _slots(messages: Iterable[Any], roles: Iterable[str]) -> Iterator[Slot]:
    for number, (message, role) in enumerate(zip(messages, roles, strict=True)):
        content = message.get("content") if role else None
        if isinstance(content, _String):
            yield Slot(number, role, *content)
        elif isinstance(content, list):
            for part in content:
                text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
                if isinstance(text, _String):
                    yield Slot(number, role, *text)


def _role(message: Any) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else ""


class _String(NamedTuple):
    """A string with its place in the source."""

    text: str
    start: int
    end: int


def _messages(source: str, at: int) -> tuple[Any, int]:
    return _array(source, at, _message)


def _message(source: str, at: int) -> tuple[Any, int]:
    return _object(source, at, _MESSAGE) if source[at] == "{" else _any(source, at)


def _content(source: str, at: int) -> tuple[Any, int]:
    return _array(source, at, _part) if source[at] == "[" else _string(source, at)


def _part(source: str, at: int) -> tuple[Any, int]:
    return _object(source, at, _PART) if source[at] == "{" else _any(source, at)


def _string(source: str, at: int) -> tuple[Any, int]:
    if source[at] != '"':
        return _any(source, at)
    text, end = scanstring(source, at + 1, True)
    return _String(text, at, end), end


_TOP: Mapping[str, _Reader] = {"messages": _messages}
_MESSAGE: Mapping[str, _Reader] = {"content": _content}
_PART: Mapping[str, _Reader] = {"text": _string}


def _after_space(source: str, at: int) -> int:
    match = _space.match(source, at)
    return match.end() if match else at


def _array(source: str, at: int, item: _Reader) -> tuple[Any, int]:
    """Read an array with `item` for its values; anything but an array is read as it is."""
    if source[at] != "[":
        return _any(source, at)
    values: list[Any] = []
    at = _after_space(source, at + 1)
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


def _object(source: str, at: int, readers: Mapping[str, _Reader]) -> tuple[dict[str, Any], int]:
    """Read an object, values of the keys in `readers` by those; a key given twice is left out."""
    if source[at] != "{":
        raise json.JSONDecodeError("Expecting an object", source, at)
    values: dict[str, Any] = {}
    twice: set[str] = set()
    at = _after_space(source, at + 1)
    if source[at] == "}":
        return values, at + 1
    while True:
        start = _key(source, at)
        if start is None:
            raise json.JSONDecodeError("Expecting a key in double quotes and a colon", source, at)
        key = start[1] if "\\" not in start[1] else scanstring(source, at + 1, True)[0]
        if key in values:
            twice.add(key)
        values[key], at = readers.get(key, _any)(source, start.end())
        mark = _mark(source, at)
        if mark is None or mark[1] == "]":
            raise json.JSONDecodeError("Expecting ',' or '}'", source, at)
        at = mark.end()
        if mark[1] == "}":
            return {k: v for k, v in values.items() if k not in twice} if twice else values, at


def _quoted(text: str) -> bytes:
    """`text` as a JSON string."""
    try:
        return encode_basestring(text).encode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 can't hold, stays an escape
        return encode_basestring_ascii(text).encode()
