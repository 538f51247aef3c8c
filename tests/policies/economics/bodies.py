"""Requests whose lengths in tokens are known: the words of a text are one token each."""

from __future__ import annotations

from typing import Any

FRAME_TOKENS = 4
"""What a message costs beside its text: its role and three marks."""


def text(tokens: int, word: str = " red") -> str:
    """A text of so many tokens in o200k_base."""
    return word * tokens


def message(role: str, tokens: int, word: str = " red") -> dict[str, Any]:
    """A message of so many tokens, its frame included."""
    return {"role": role, "content": text(tokens - FRAME_TOKENS, word)}


def body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A request with these messages."""
    return {"model": "m", "messages": list(messages), **more}


def marked(role: str, tokens: int, word: str = " red", **control: str) -> dict[str, Any]:
    """As `message`, with a `cache_control` at its end."""
    part = {"type": "text", "text": text(tokens - FRAME_TOKENS, word)}
    return {"role": role, "content": [part | {"cache_control": {"type": "ephemeral", **control}}]}
