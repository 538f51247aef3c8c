"""What must not be touched in a text.

Owns the recognition of code, data, tables and markup (blocks, cut out before compression) and of numbers,
negations, names, addresses and quotes (kept inline). Knows neither how texts are shortened nor the markup
by which a user asks for it. One recogniser per kind, each a function from a text to spans, linear in the
text's length whatever it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from policies.protection.addresses import urls
from policies.protection.code import code
from policies.protection.identifiers import identifiers
from policies.protection.json_like import json_like
from policies.protection.logs import logs
from policies.protection.markup import elements, tags
from policies.protection.negations import negations
from policies.protection.numbers import numbers
from policies.protection.quotes import inline_code, quotes
from policies.protection.settings import settings
from policies.protection.spans import Span, bridge_blanks, part, subtract, union, with_joints
from policies.protection.tables import tables
from policies.protection.yaml_like import yaml_like

__all__ = ["KINDS", "ProtectKind", "Protection", "Span", "protect"]

ProtectKind = Literal[
    "code", "json", "data", "logs", "tables", "tags", "urls", "numbers", "negations", "quotes", "identifiers"
]
KINDS: tuple[ProtectKind, ...] = get_args(ProtectKind)

Recogniser = Callable[[str], Iterable[Span]]
InlineRecogniser = Callable[[str, int, int], Iterable[Span]]

_BLOCKS: dict[ProtectKind, tuple[Recogniser, ...]] = {
    "code": (code,),
    "json": (json_like,),
    "data": (yaml_like, settings),
    "logs": (logs,),
    "tables": (tables,),
    "tags": (tags, elements),
}
_INLINE: dict[ProtectKind, tuple[InlineRecogniser, ...]] = {
    "code": (inline_code,),
    "urls": (urls,),
    "numbers": (numbers,),
    "negations": (negations,),
    "quotes": (quotes,),
    "identifiers": (identifiers, inline_code),
}
_LONG_BLOCK = 200  # characters; shorter ones are searched for inline spans too, which costs less than to stop


@dataclass(frozen=True, slots=True)
class Protection:
    """The protected parts of a text: ascending, and disjoint across both fields."""

    blocks: tuple[Span, ...]
    """Structured content that is cut out and copied as it is: code, data, tables, tags."""
    inline: tuple[Span, ...]
    """Parts of the prose that always stay: numbers, negations, names, addresses, quotes."""


def protect(text: str, kinds: Collection[ProtectKind]) -> Protection:
    """Find what of `text` must survive compression byte for byte, for the given kinds.

    Where a block and an inline span overlap, the block wins. Linear in `len(text)`.
    """
    blocks = union(span for kind in kinds for find in _BLOCKS.get(kind, ()) for span in find(text))
    blocks = bridge_blanks(text, blocks)
    finders = {find for kind in kinds for find in _INLINE.get(kind, ())}
    found = [
        span
        for start, end in _prose(len(text), blocks)
        for find in finders
        for span in find(text, start, end)
    ]
    inline = part(text, union(with_joints(text, union(found))))
    return Protection(tuple(blocks), tuple(subtract(inline, blocks)))


def _prose(length: int, blocks: Sequence[Span]) -> Iterator[Span]:
    """The stretches between long blocks; at most one per `_LONG_BLOCK` characters, and one."""
    return subtract([(0, length)], [block for block in blocks if block[1] - block[0] >= _LONG_BLOCK])
