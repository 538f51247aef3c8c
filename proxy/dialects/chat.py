"""Chat completions: the texts of a request body and their exact places in it.

The body is never re-encoded: shortened texts are spliced into the JSON source, so that everything else (key
order, digits, unknown fields) stays as it came. Knows neither policies nor sockets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from policies.tool_definitions import TOOLS
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
from proxy.errors import MalformedJsonError

SUFFIX = "/chat/completions"
# What asks for an answer that must follow a form, or whose words are counted or spoken elsewhere in it.
_form = re.compile(
    r"logprobs|audio|web_search_options|structured_outputs|guided_\w+|grammar|json_schema"
).fullmatch


class Slot(NamedTuple):
    """One text of a message; `start` and `end` are the places of its JSON string, quotes included.

    Or the tool definitions: `text` is then their JSON itself, from `start` to `end`.
    """

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
    marked: int
    """How many of them, from the first on, lie before a `cache_control` mark."""
    wants_text: bool
    """Whether the answer may be any text: no JSON, no log-probabilities, no audio is asked for."""
    tools: Slot | None = None
    """The JSON of the tool definitions."""
    media_characters: int = 0
    """How long images, sounds and files are that stand in the messages themselves."""

    @property
    def around_characters(self) -> int:
        """How much else the body holds that a model reads as text, such as tool calls and definitions."""
        texts = sum(slot.end - slot.start for slot in self.slots)
        return max(len(self.source) - texts - self.media_characters, 0)

    def with_tools(self) -> ChatBody:
        """The same with the tool definitions, if there are any, as the first of its texts."""
        if self.tools is None or not self.slots:
            return self
        return replace(self, slots=(self.tools, *self.slots), marked=self.marked + 1)

    def with_texts(self, texts: Mapping[int, str]) -> bytes:
        """The body with slot number i replaced by `texts[i]`; all else is copied."""
        pieces: list[bytes] = []
        at = 0
        for number in sorted(texts, key=lambda number: self.slots[number].start):
            slot = self.slots[number]
            if slot is self.tools:
                pieces += (self.source[at : slot.start].encode(), texts[number].encode())
                at = slot.end
                continue
            # Without escapes in the source, there is nothing to escape in a part of it either.
            plain = slot.end - slot.start == len(slot.text) + 2
            string = f'"{texts[number]}"'.encode() if plain else quoted(texts[number])
            pieces += (self.source[at : slot.start].encode(), string)
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
        top, end = read_object(source, after_space(source, 0), _TOP)
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
    slots, marked = _slots(messages, roles)
    tools = top.get("tools")
    return ChatBody(
        source,
        model if isinstance(model, str) else "",
        roles,
        tuple(slots),
        marked,
        _wants_text(top),
        tools if isinstance(tools, Slot) else None,
        sum(_media_characters(message.get("content")) for message in messages if isinstance(message, dict)),
    )


def _wants_text(top: Mapping[str, Any]) -> bool:
    form = top.get("response_format") or {"type": "text"}
    return (
        isinstance(form, dict)
        and form.get("type") == "text"
        and not any(value and _form(key) for key, value in top.items())
    )


def _slots(messages: Iterable[Any], roles: Iterable[str]) -> tuple[list[Slot], int]:
    """The texts, and how many of them come before the last `cache_control` mark."""
    slots: list[Slot] = []
    marked = 0
    for number, (message, role) in enumerate(zip(messages, roles, strict=True)):
        content = message.get("content") if role else None
        for part in content if isinstance(content, list) else [{"type": "text", "text": content}]:
            text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
            if isinstance(text, String):
                slots.append(Slot(number, role, *text))
            if isinstance(part, dict) and part.get("cache_control"):
                marked = len(slots)
        if role and message.get("cache_control"):
            marked = len(slots)
    return slots, marked


def _media_characters(content: Any) -> int:
    """Lengths of the longest strings in those parts of a message that aren't texts."""
    parts = content if isinstance(content, list) else []
    return sum(_longest(part) for part in parts if isinstance(part, dict) and part.get("type") != "text")


def _longest(value: Any) -> int:
    if isinstance(value, dict):
        return max(map(_longest, value.values()), default=0)
    return len(value) if isinstance(value, str) else 0


def _role(message: Any) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else ""


def _messages(source: str, at: int) -> tuple[Any, int]:
    return read_array(source, at, _message)


def _tools(source: str, at: int) -> tuple[Any, int]:
    tools, end = read_any(source, at)
    return (Slot(0, TOOLS, source[at:end], at, end), end) if isinstance(tools, list) else (tools, end)


def _message(source: str, at: int) -> tuple[Any, int]:
    return read_object(source, at, _MESSAGE) if source[at] == "{" else read_any(source, at)


def _content(source: str, at: int) -> tuple[Any, int]:
    return read_array(source, at, _part) if source[at] == "[" else read_string(source, at)


def _part(source: str, at: int) -> tuple[Any, int]:
    return read_object(source, at, _PART) if source[at] == "{" else read_any(source, at)


_TOP: Mapping[str, Reader] = {"messages": _messages, "tools": _tools}
_MESSAGE: Mapping[str, Reader] = {"content": _content}
_PART: Mapping[str, Reader] = {"text": read_string}
