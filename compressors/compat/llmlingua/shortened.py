"""What is left of the contexts of a call. Knows no model, no tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

from compressors.compat.llmlingua.contexts import Context
from compressors.words import Offsets


@dataclass(frozen=True, slots=True)
class Shortened:
    """The outcome of all stages."""

    contexts: list[Context]
    """In the order of the prompt."""
    joined: str
    """The hidden prefix, if any, and the contexts."""
    kept: Offsets | None
    """Places of the tokens of `joined` that stay, the prefix's left out; None if all of the contexts do."""
    text: str
    """As the package spells it."""
