"""Chat completions: the text of an answer, or of one event of a streamed answer, and its exact places.

Like request bodies, answers are never re-encoded. Knows neither what is put in place of a text nor sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from proxy.dialects.source import (
    Reader,
    String,
    after_space,
    quoted,
    read_any,
    read_array,
    read_object,
    read_string,
)

_DATA = "data:"


class Said(NamedTuple):
    """What one choice says."""

    choice: str
    """Its index, in digits."""
    content: String | None
    """Its text, or the next piece of it; None if there is none, or if other parts of the answer point into it."""
    ends: bool
    """Whether the text ends here or something else than text goes with it: a tool call, a refusal, reasoning."""


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A completion, or one event of a stream, as it came."""

    source: str
    choices: tuple[Said, ...]

    def with_contents(self, texts: Mapping[int, str]) -> bytes:
        """The source with the content of choice number i replaced by `texts[i]`; all else is copied."""
        pieces: list[bytes] = []
        at = 0
        for number in sorted(texts):
            content = self.choices[number].content
            if content is not None:
                pieces += (self.source[at : content.start].encode(), quoted(texts[number]))
                at = content.end
        return b"".join([*pieces, self.source[at:].encode()])


def parse_completion(body: bytes) -> ChatAnswer | None:
    """Find the texts of a whole completion; None if `body` isn't JSON."""
    try:
        source = body.decode("utf-8")
        return _answer(source, 0, "message")
    except (ValueError, IndexError, RecursionError):
        return None


def parse_event(event: bytes) -> ChatAnswer | None:
    """Find the texts of one server-sent event; None for comments, `[DONE]` and whatever isn't JSON in one line."""
    try:
        source = event.decode("utf-8")
        data = 0 if source.startswith(_DATA) else source.find("\n" + _DATA) + 1
        if not source.startswith(_DATA, data) or "\n" + _DATA in source[data:]:
            return None
        return _answer(source, data + len(_DATA), "delta")
    except (ValueError, IndexError, RecursionError):
        return None


def _answer(source: str, at: int, place: str) -> ChatAnswer:
    top, end = read_object(source, after_space(source, at), _TOP)
    if source[end:].strip():
        raise ValueError("something follows the JSON object")
    choices = top.get("choices")
    found = choices if isinstance(choices, list) else []
    return ChatAnswer(source, tuple(_said(number, choice, place) for number, choice in enumerate(found)))


def _said(number: int, choice: Any, place: str) -> Said:
    if not isinstance(choice, dict):
        return Said(str(number), None, True)
    message = choice.get(place)
    message = message if isinstance(message, dict) else {}
    content = message.get("content")
    pointed_at = choice.get("logprobs") or message.get("annotations")
    other = any(value for key, value in message.items() if key not in ("role", "content"))
    return Said(
        str(choice.get("index", number)),
        content if isinstance(content, String) and not pointed_at else None,
        other or choice.get("finish_reason") is not None,
    )


def _choices(source: str, at: int) -> tuple[Any, int]:
    return read_array(source, at, _choice)


def _choice(source: str, at: int) -> tuple[Any, int]:
    return read_object(source, at, _CHOICE) if source[at] == "{" else read_any(source, at)


def _message(source: str, at: int) -> tuple[Any, int]:
    return read_object(source, at, _MESSAGE) if source[at] == "{" else read_any(source, at)


_TOP: Mapping[str, Reader] = {"choices": _choices}
_CHOICE: Mapping[str, Reader] = {"message": _message, "delta": _message}
_MESSAGE: Mapping[str, Reader] = {"content": read_string}
