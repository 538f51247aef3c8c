"""Made-up prompts that all sides shorten; knows no side."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WORDS = (  # noqa: SIM905
    "the a of committee bridge river old price room met agreed nobody knows what it will cost in town said"
).split()
QUESTION = (
    "who said that nobody in the old town knows what the bridge over the river will cost, and when was it?"
)
_RESTRICTIVE = "We can get the answer to this question in the given documents."


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is shortened by all sides."""

    name: str
    method: str
    documents: list[str]
    question: str
    options: dict[str, Any]
    """The package's."""
    bars: tuple[float, float]
    """How much faster than the package the parity and the default mode are to be on a CPU."""


def prompts() -> list[Prompt]:
    """20 documents of about 150 tokens with a question; one text of about 2,000 tokens."""
    draw = random.Random(0)
    documents = [text(draw, 10) for _ in range(20)]
    asked = {"condition_compare": True, "reorder_context": "sort", "rank_method": "longllmlingua"}
    return [
        Prompt("20 × 150 tokens", "longllmlingua", documents, QUESTION, asked, (2.5, 4.0)),
        Prompt("2,000 tokens", "llmlingua", [text(draw, 132)], "", {}, (1.5, 2.0)),
    ]


def text(draw: random.Random, sentences: int) -> str:
    """Sentences of 14 words."""
    return "".join(
        " ".join(draw.choice(WORDS) for _ in range(14)).capitalize() + ". " for _ in range(sentences)
    )


def joined(documents: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The documents as one text, and where they are."""
    whole, spans = "\n\n".join(documents), []
    for document in documents:
        spans.append((whole.index(document), whole.index(document) + len(document)))
    return whole, tuple(spans)


def vocabulary() -> list[str]:
    """All words, as a byte-level tokenizer spells them at the beginning of a text and behind a space."""
    lower = set(re.findall(r"\w+", f"{' '.join(WORDS)} {QUESTION} {_RESTRICTIVE}"))
    words = sorted(lower | {word.capitalize() for word in lower})
    return [f"{space}{word}" for space in ("Ġ", "") for word in words]  # merges of the first go first
