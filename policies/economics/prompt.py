"""A chat request as the provider's model reads it: token ids in blocks, tools first, then the messages.

Providers don't publish their rendering. This one has what matters to a bill: every word is counted once, each message
costs a few tokens more (OpenAI's cookbook, "How to count tokens with tiktoken"), and what is alike in two requests has
the same ids. Knows no prices.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from policies.economics.caching import LONG_LIFETIME_S
from policies.tokens import Tokenizer

Ids = npt.NDArray[np.int32]
_START, _AFTER_ROLE, _END = -1, -2, -3
"""Marks around messages; no text has negative ids."""
_TOOLS = -1
_MEDIA_TOKENS = 85
"""What OpenAI bills for an image in low detail; media are counted so whatever they are."""
_SYSTEM = ("system", "developer")
_REMEMBERED_TEXTS = 32_768


@dataclass(frozen=True, slots=True)
class Block:
    """A tool, a part of a message's content, or a tool call."""

    ids: Ids
    message: int
    """Number of its message; -1 for tools."""
    mark_s: float | None = None
    """How long the prefix up to here is to be cached, where a `cache_control` says so; 0 for the usual time."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads of one request."""

    blocks: tuple[Block, ...]
    roles: tuple[str, ...]
    """The role of each message."""
    ids: Ids
    ends: tuple[int, ...]
    """For each block the place in `ids` where it ends."""

    def digests(self, ends: Iterable[int]) -> Iterator[bytes]:
        """A digest of the prefix up to each of `ends`, which ascend: the same for the same ids."""
        state = hashlib.blake2b(digest_size=16)
        start = 0
        for end in ends:
            state.update(self.ids[start:end].tobytes())
            start = end
            yield state.digest()

    def last_block_of_tools(self) -> int | None:
        """Number of the last tool's block."""
        return _last(self.blocks, lambda block: block.message == _TOOLS)

    def last_block_of_system(self) -> int | None:
        """Number of the block where the leading system messages end."""
        count = next((n for n, role in enumerate(self.roles) if role not in _SYSTEM), len(self.roles))
        return _last(self.blocks, lambda block: 0 <= block.message < count)

    def first_difference(self, later: Prompt) -> tuple[int, str] | None:
        """Number and role of the first message in which `later` isn't this prompt, perhaps with more behind it.

        (-1, "tools") stands for the tools, None for no such message.
        """
        common = min(len(self.ids), len(later.ids))
        unlike = np.flatnonzero(self.ids[:common] != later.ids[:common])
        place = int(unlike[0]) if len(unlike) else common
        if place == len(self.ids):
            return None
        number = next((n for n, end in enumerate(later.ends) if end > place), len(later.ends) - 1)
        message = later.blocks[number].message if later.blocks else _TOOLS
        return message, later.roles[message] if message >= 0 else "tools"


class Renderer:
    """Renders requests in one encoding; remembers the ids of texts, for they come again on every turn."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        def ids(text: str) -> Ids:
            return np.array(tokenizer.encode(text), dtype=np.int32)

        self._ids = functools.lru_cache(_REMEMBERED_TEXTS)(ids)

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """The prompt of a chat-completions body; what has no known shape is left out."""
        tools = [tool for tool in _list(body.get("tools")) if isinstance(tool, dict)]
        messages = [message for message in _list(body.get("messages")) if isinstance(message, dict)]
        blocks = [Block(self._json(tool), _TOOLS, _mark(tool)) for tool in tools]
        for number, message in enumerate(messages):
            blocks += self._message(number, message)
        ids = np.concatenate([block.ids for block in blocks]) if blocks else np.zeros(0, np.int32)
        ends = tuple(accumulate(len(block.ids) for block in blocks))
        return Prompt(tuple(blocks), tuple(str(m.get("role", "")) for m in messages), ids, ends)

    def _message(self, number: int, message: Mapping[str, Any]) -> list[Block]:
        parts = [*self._content(message.get("content")), *self._calls(message)]
        name = message.get("name")
        role = f"{message.get('role', '')} {name}" if isinstance(name, str) else str(message.get("role", ""))
        head = np.concatenate([[_START], self._ids(role), [_AFTER_ROLE]])
        pieces = [ids for ids, _ in parts] or [self._ids("")]
        pieces[0] = np.concatenate([head, pieces[0]])
        pieces[-1] = np.concatenate([pieces[-1], [_END]])
        marks = [mark for _, mark in parts] or [None]
        if (whole := _mark(message)) is not None:
            marks[-1] = whole
        return [Block(ids.astype(np.int32), number, mark) for ids, mark in zip(pieces, marks, strict=True)]

    def _content(self, content: object) -> Iterator[tuple[Ids, float | None]]:
        if isinstance(content, str):
            yield self._ids(content), None
        for part in _list(content):
            if isinstance(part, dict):
                text = part.get("text", part.get("refusal"))
                yield self._ids(text) if isinstance(text, str) else _medium(part), _mark(part)

    def _calls(self, message: Mapping[str, Any]) -> Iterator[tuple[Ids, float | None]]:
        for call in _list(message.get("tool_calls")):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                yield self._ids(f"{function.get('name', '')}\n{function.get('arguments', '')}"), None

    def _json(self, value: Mapping[str, Any]) -> Ids:
        shown = {key: item for key, item in value.items() if key != "cache_control"}
        return self._ids(json.dumps(shown, ensure_ascii=False))


def _mark(holder: Mapping[str, Any]) -> float | None:
    """What a `cache_control` asks for, in seconds; 0 for the usual time."""
    control = holder.get("cache_control")
    if not isinstance(control, dict):
        return None
    return LONG_LIFETIME_S if control.get("ttl") == "1h" else 0.0


def _medium(part: Mapping[str, Any]) -> Ids:
    """Ids that stand for an image, a recording or a file: the same for the same one."""
    digest = hashlib.blake2b(json.dumps(part, sort_keys=True).encode(), digest_size=3).digest()
    return np.full(_MEDIA_TOKENS, -16 - int.from_bytes(digest), np.int32)


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _last(blocks: Sequence[Block], fits: Any) -> int | None:
    return next((n for n in range(len(blocks) - 1, -1, -1) if fits(blocks[n])), None)
