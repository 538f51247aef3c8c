"""The request bodies that the benchmark sends: prose of a wanted size, the same on every run.

Knows no server.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

MODEL = "gpt-4o-mini"
STREAM_MODEL = "gpt-4o"
"""A name of its own, since LiteLLM's proxy chooses the upstream by the model."""

SUBJECTS = (
    "The committee",
    "A second engineer",
    "Our largest customer",
    "The night shift",
    "Nobody at the office",
)
VERBS = (
    "reviewed",
    "postponed",
    "measured again",
    "quietly rejected",
    "asked everyone about",
    "finally described",
)
OBJECTS = (
    "the revised budget",
    "every open incident",
    "the migration plan",
    "a very long report",
    "those results",
)
ENDINGS = (
    "before the meeting",
    "because the figures looked wrong",
    "as usual",
    "in some detail",
    "without delay",
)


def prose(characters: int, seed: str) -> str:
    """English-looking sentences, cut at `characters`."""
    sentences = _sentences(random.Random(seed))
    text = ""
    while len(text) < characters:
        text += next(sentences)
    return text[:characters]


def _sentences(choice: random.Random) -> Iterator[str]:
    while True:
        words = (choice.choice(part) for part in (SUBJECTS, VERBS, OBJECTS, ENDINGS))
        yield " ".join(words) + ". "


def chat(size_bytes: int, *, messages: int = 1, seed: str = "", stream: bool = False) -> bytes:
    """A chat request of exactly `size_bytes` whose text is shared evenly by `messages` messages."""
    empty = len(_chat([""] * messages, stream))
    share, rest = divmod(size_bytes - empty, messages)
    sizes = [share + (index < rest) for index in range(messages)]
    return _chat([prose(size, f"{seed} {index}") for index, size in enumerate(sizes)], stream)


def _chat(texts: list[str], stream: bool) -> bytes:
    roles = [("user", "assistant")[index % 2] for index in range(len(texts))]
    request = {
        "model": STREAM_MODEL if stream else MODEL,
        "messages": [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)],
        "stream": stream,
    }
    return json.dumps(request).encode()
