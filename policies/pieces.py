"""The parts of a text that are to be shortened: how far each, what in it stays, and what will remain of it.

Knows how a text was cut, not whether it is to be shortened at all (`plan.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from policies.cuts import within
from policies.documents import Document
from policies.groups import Setting, Text
from policies.policy import Policy
from policies.protection import Protection, ProtectKind, Span, protect
from policies.protection.spans import subtract, union
from policies.rules import Range
from policies.segments import Section


class Tokenizer(Protocol):
    """Counts as the upstream's model does."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a piece is shortened: exactly one is set."""

    rate: float | None = None
    target_tokens: int | None = None
    min_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text to shorten; all spans but its own are counted from the piece's start."""

    span: Span
    measure: Measure
    blocks: tuple[Span, ...]
    """Protected and cut out."""
    inline: tuple[Span, ...]
    """Protected and read."""
    documents: tuple[Span, ...] = ()
    """Whole ones may go; what lies between them only separates them."""
    heads: tuple[Span, ...] = ()
    """Parts of documents that stay as long as their document does."""
    question: str = ""
    """What the piece is read for."""
    bundle: int | None = None
    """Pieces with the same number, of several texts, are the documents of one prompt: none of them goes."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the pieces of a text depend on."""

    text: Text
    parts: Sequence[Section]
    policy: Policy
    reach: Range
    tokens: int
    """Of all that remains if the text is left alone."""
    tokenizer: Tokenizer
    rate: float | None
    setting: Setting | None

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents of the text."""
        return self.setting.found.documents if self.setting is not None else ()


def pieces(scene: Scene) -> tuple[tuple[Piece, ...], int, bool]:
    """The parts to shorten, the tokens expected to remain of the text, and whether anything may be dropped."""
    found: list[Piece] = []
    expected, droppable = float(scene.tokens), False
    count = scene.tokenizer.count
    for part in scene.parts:
        if not part.compress:
            continue
        start, end = part.span
        content = scene.text.text[start:end]
        size = scene.tokens if len(content) == len(scene.text.text) else count(content)
        documents = within(part.span, scene.documents)
        protection = _held(protected(content, documents, scene.policy.protect), part)
        fixed = sum(count(content[a:b]) for a, b in protection.blocks)
        kept = sum(count(content[a:b]) for a, b in protection.inline)
        measure = _measure(part, scene, size, documents)
        free = max(size - fixed, 0)
        droppable |= free > kept or len(documents) > 1
        found.append(_piece(part, measure, protection, documents, scene))
        remaining = _expected(measure, free, fixed)
        expected += fixed + (remaining if len(documents) > 1 else max(kept, remaining)) - size
    return tuple(found), round(expected), droppable


def _held(protection: Protection, part: Section) -> Protection:
    """`protection` and what of `part` is fixed, cut out as well."""
    if not part.fixed:
        return protection
    fixed = ((start - part.span[0], end - part.span[0]) for start, end in part.fixed)
    blocks = union((*protection.blocks, *fixed))
    return Protection(tuple(blocks), tuple(subtract(protection.inline, blocks)))


def _piece(
    part: Section, measure: Measure, protection: Protection, documents: Sequence[Document], scene: Scene
) -> Piece:
    setting = scene.setting
    bundled = setting is not None and setting.bundled
    return Piece(
        part.span,
        measure,
        protection.blocks,
        protection.inline,
        documents=() if bundled else tuple(document.span for document in documents),
        heads=tuple(head for document in documents for head in document.heads),
        question=setting.question if setting is not None else "",
        bundle=scene.text.group if bundled else None,
    )


def protected(content: str, documents: Sequence[Document], kinds: Collection[ProtectKind]) -> Protection:
    """What is protected; in documents, of their bodies alone: a list of passages is no longer one JSON block."""
    if not documents:
        return protect(content, kinds)
    blocks: list[Span] = []
    inline: list[Span] = []
    for document in documents:
        for start, end in subtract([document.span], document.heads):
            found = protect(content[start:end], kinds)
            blocks += [(start + a, start + b) for a, b in found.blocks]
            inline += [(start + a, start + b) for a, b in found.inline]
    return Protection(tuple(blocks), tuple(inline))


def _measure(part: Section, scene: Scene, size: int, documents: Sequence[Document]) -> Measure:
    reach = scene.reach
    if part.rate is not None:
        return Measure(rate=max(part.rate, scene.policy.min_rate or 0.0))
    if scene.rate is not None:
        return Measure(rate=scene.rate)
    if reach.target_tokens is not None and documents:  # what stands around them is paid for
        return Measure(target_tokens=max(reach.target_tokens - (scene.tokens - size), 1))
    if reach.target_tokens is not None and size < scene.tokens:  # several parts share the budget evenly
        return Measure(rate=min(reach.target_tokens / scene.tokens, 1.0))
    return Measure(reach.rate, reach.target_tokens, reach.min_probability)


def _expected(measure: Measure, free: int, fixed: int) -> float:
    """Tokens expected to remain of `free` droppable ones; all of them where only the model can tell."""
    if measure.rate is not None:
        return measure.rate * free
    if measure.target_tokens is not None:
        return min(max(measure.target_tokens - fixed, 0), free)
    return free
