"""Chat completions: the texts of a request body and their exact places in it.

The body is never re-encoded: shortened texts are spliced into the JSON source, so that everything else (key
order, digits, unknown fields) stays as it came. Knows neither policies nor sockets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, NamedTuple

from proxy.errors import MalformedJsonError

SUFFIX = "/chat/completions"

_Reader = Callable[[str, int], tuple[Any, int]]
# Numbers are only walked over: read as strings they cost nothing and have no limit of digits.
_any = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode
_WHITE = frozenset(" \t\n\r")
_space = json.decoder.WHITESPACE.match  # type: ignore[attr-defined]


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
        top, end = _object(source, _skip(source, 0), _TOP)
        if _skip(source, end) != len(source):
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
    return ChatBody(
        source,
        model if isinstance(model, str) else "",
        tuple(_role(message) for message in messages),
        tuple(_slots(messages)),
    )


def _slots(messages: Iterable[Any]) -> Iterable[Slot]:
    for number, message in enumerate(messages):
        role = _role(message)
        if not role:
            continue
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            if isinstance(part, dict) and part.get("type") == "text":
                part = part.get("text")  # noqa: PLW2901 (a text part stands for its text)
            if isinstance(part, _String):
                yield Slot(number, role, part.text, part.start, part.end)


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


def _skip(source: str, at: int) -> int:
    """The next place that holds no white space."""
    if source[at : at + 1] not in _WHITE:
        return at
    end: int = _space(source, at).end()
    return end


def _array(source: str, at: int, item: _Reader) -> tuple[Any, int]:
    """Read an array with `item` for its values; anything but an array is read as it is."""
    if source[at] != "[":
        return _any(source, at)
    values: list[Any] = []
    at = _skip(source, at + 1)
    if source[at] == "]":
        return values, at + 1
    while True:
        value, at = item(source, at)
        values.append(value)
        at = _skip(source, at)
        if source[at] == "]":
            return values, at + 1
        at = _skip(source, _past(",", source, at))


def _object(source: str, at: int, readers: Mapping[str, _Reader]) -> tuple[dict[str, Any], int]:
    """Read an object, values of the keys in `readers` by those; a key given twice is left out."""
    values: dict[str, Any] = {}
    twice: set[str] = set()
    at = _skip(source, _past("{", source, at))
    if source[at] == "}":
        return values, at + 1
    while True:
        key, at = scanstring(source, _past('"', source, at), True)
        at = _skip(source, _past(":", source, _skip(source, at)))
        if key in values:
            twice.add(key)
        reader = readers.get(key)
        values[key], at = reader(source, at) if reader else _any(source, at)
        at = _skip(source, at)
        if source[at] == "}":
            return {k: v for k, v in values.items() if k not in twice} if twice else values, at + 1
        at = _skip(source, _past(",", source, at))


def _past(mark: str, source: str, at: int) -> int:
    """The place after `mark`, which has to stand here."""
    if source[at] != mark:
        raise json.JSONDecodeError(f"Expecting {mark!r}", source, at)
    return at + 1


def _quoted(text: str) -> bytes:
    """`text` as a JSON string."""
    try:
        return encode_basestring(text).encode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 can't hold, stays an escape
        return encode_basestring_ascii(text).encode()
