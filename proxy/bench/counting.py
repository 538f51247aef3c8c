"""What texts are billed in here: the one encoding that the llmlingua package can count in, or a stand-in for it."""

from __future__ import annotations

import re
from typing import Protocol

from compressors import Tokenizer

_MODEL = "gpt-3.5-turbo"
_PIECE = re.compile(r" ?\w{1,4}|\s|[^\w\s]")


class Counter(Tokenizer, Protocol):
    """What both laconic and the package can count with."""

    def encode(self, text: str) -> list[int]:
        """As many numbers as `text` has tokens."""


class Pieces:
    """Words in pieces of up to four letters, about as many as tiktoken makes of them; needs no vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Where each piece starts."""
        return [match.start() for match in _PIECE.finditer(text)]

    def starts(self, text: str) -> list[int]:
        """The same."""
        return self.encode(text)

    def count(self, text: str) -> int:
        """Their number."""
        return len(self.encode(text))


def counter() -> tuple[Counter, str]:
    """The package's encoding and its name; pieces of words where tiktoken or its vocabulary isn't at hand."""
    try:
        from policies.tokens import encoding_name, tokenizer

        found = tokenizer(encoding_name(_MODEL))
    except Exception:  # tiktoken raises whatever its download does
        return Pieces(), "pieces"
    return found, found.encoding
