"""What to do with each text of a request: leave it alone, and why, or shorten which parts of it how far.

Pure: the same text under the same policy always gets the same plan, whatever stands beside it in the request.
Knows no compressor; carrying a plan out is the proxy's work.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from policies.cuts import around, cut, joined, within
from policies.documents import Document
from policies.groups import Setting, Text
from policies.policy import Policy, Range, Target
from policies.protection import Protection, ProtectKind, Span, protect
from policies.protection.spans import subtract, union
from policies.segments import Section
from policies.tool_definitions import TOOLS, descriptions


class Skip(StrEnum):
    """Why a text was left as it was; the words stand in headers, metrics and logs."""

    OFF = "off"  # a target rule says so
    ROLE = "role"  # no target rule speaks of this role
    SHORT = "too_short"  # fewer tokens than the rules and ranges ask for
    PROTECTED = "protected"  # nothing in it may be dropped
    SMALL_SAVING = "small_saving"  # less to save than min_saved_tokens
    UNREADABLE = "unreadable"  # not a language that the model reads
    INVARIANT = "invariant"  # the result broke a guard
    NOT_WORTH = "not_worth"  # the time would cost more than the tokens
    ADOPTED = "adopted"  # sent before, by others or under another policy
    CACHE_MINIMUM = "cache_minimum"  # shortened, the conversation would be too short for the provider's cache
    HOLDOUT = "holdout"  # the conversation is one of those that savings are measured against
    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    FAILED = "failed"
    NOT_READY = "not_ready"  # the model is still loading
    CONTENT_ENCODING = "content_encoding"  # the whole body, compressed in a way that isn't read here
    SHADOW = "shadow"  # shortened on record only

    @property
    def is_failure(self) -> bool:
        """Whether the text would have been shortened had all gone well."""
        return self in _FAILURES

    @property
    def is_of_the_moment(self) -> bool:
        """Whether the same text may be shortened in another conversation."""
        return self in _FAILURES or self in (Skip.NOT_WORTH, Skip.ADOPTED, Skip.CACHE_MINIMUM)


_FAILURES = frozenset((Skip.DEADLINE, Skip.OVERLOADED, Skip.FAILED, Skip.NOT_READY))


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
class TextPlan:
    """What happens to one text.

    `whole` is what is sent if the text is left alone: all of it, or all but its markup. `pieces` lie in
    `whole` and are empty exactly if `skip` says why.
    """

    original_tokens: int
    whole: tuple[Span, ...]
    pieces: tuple[Piece, ...] = ()
    skip: Skip | None = None
    expected_tokens: int = 0


def plan_text(
    text: Text,
    policy: Policy,
    tokenizer: Tokenizer,
    *,
    rate: float | None = None,
    tags: bool = False,
    setting: Setting | None = None,
) -> TextPlan:
    """Decide what happens to `text`; `rate` replaces the policy's where a request asked for one in (0, 1].

    With `tags`, `<laconic:keep>` and `<llmlingua>` markup is obeyed, and stripped in any case. `setting` tells
    of documents and the question. Of tool definitions only what they describe is shortened.
    """
    tokens = tokenizer.count(text.text)
    target, reason = _target(text.role, tokens, policy.targets)
    reach = _reach(target, policy, tokens) if target is not None else None
    if text.role == TOOLS:
        parts = descriptions(text.text, reach)
    elif reach is None:
        parts = cut(text.text, tags=tags)
    else:
        parts = _parts(text.text, policy, setting, tags=tags)
    whole = tuple(part.span for part in parts if part.span[0] < part.span[1])
    united = union(whole)
    sent = tokens if united == [(0, len(text.text))] else tokenizer.count(joined(text.text, united))

    def left(reason: Skip) -> TextPlan:
        return TextPlan(tokens, whole, skip=reason, expected_tokens=sent)

    if target is None:
        return left(reason)
    if reach is None:
        return left(Skip.SHORT)
    scene = _Scene(text, parts, policy, reach, sent, tokenizer, rate, setting)
    pieces, expected, droppable = _pieces(scene)
    if not droppable:
        return left(Skip.PROTECTED)
    if sent - expected < max(policy.min_saved_tokens, 1) and reach.min_probability is None:
        return left(Skip.SMALL_SAVING)
    return TextPlan(tokens, whole, pieces, None, expected)


def glance(text: Text, policy: Policy) -> Skip | None:
    """Why `plan_text` will leave `text` alone, if its role and its length in bytes tell; counts no token.

    None where only a plan can tell.
    """
    most = len(text.text) * (1 if text.text.isascii() else 4)  # a token has a byte or more
    reason = Skip.ROLE
    for target in policy.targets:
        if text.role not in target.role:
            continue
        if most < target.min_tokens:
            reason = Skip.SHORT
        elif target.mode == "off":
            return Skip.OFF if target.min_tokens == 0 else None
        else:
            break
    else:
        return reason
    if target.rate is not None:
        return None
    return Skip.SHORT if all(most < reach.min_tokens for reach in policy.ranges) else None


def _parts(text: str, policy: Policy, setting: Setting | None, *, tags: bool) -> tuple[Section, ...]:
    """What remains of `text` in any case, cut as `policy` says; documents are left in one piece."""
    found = setting.found.documents if setting is not None else ()
    if any(document.span != (0, len(text)) for document in found):
        parts = cut(text, tags=tags, rules=policy.json_rules)
    else:
        parts = cut(
            text, tags=tags, rules=policy.json_rules, layout=policy.json_layout, comments=policy.comments
        )
    if setting is None or policy.documents is None:
        return parts
    return around(parts, setting, policy.documents)


def _target(role: str, tokens: int, targets: Sequence[Target]) -> tuple[Target | None, Skip]:
    """The first rule that fits, or why none lets the text be shortened."""
    reason = Skip.ROLE
    for target in targets:
        if role not in target.role:
            continue
        if tokens < target.min_tokens:
            reason = Skip.SHORT
        elif target.mode == "off":
            return None, Skip.OFF
        else:
            return target, reason
    return None, reason


def _reach(target: Target, policy: Policy, tokens: int) -> Range | None:
    """How far a text of so many tokens is shortened; None if it is too short for that."""
    if target.rate is not None:
        return Range(rate=target.rate)
    return next((reach for reach in policy.ranges if reach.fits(tokens)), None)


@dataclass(frozen=True, slots=True)
class _Scene:
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


def _pieces(scene: _Scene) -> tuple[tuple[Piece, ...], int, bool]:
    """The parts to shorten, the tokens expected to remain of the text, and whether anything may be dropped."""
    pieces: list[Piece] = []
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
        pieces.append(_piece(part, measure, protection, documents, scene))
        remaining = _expected(measure, free, fixed)
        expected += fixed + (remaining if len(documents) > 1 else max(kept, remaining)) - size
    return tuple(pieces), round(expected), droppable


def _held(protection: Protection, part: Section) -> Protection:
    """`protection` and what of `part` is fixed, cut out as well."""
    if not part.fixed:
        return protection
    fixed = ((start - part.span[0], end - part.span[0]) for start, end in part.fixed)
    blocks = union((*protection.blocks, *fixed))
    return Protection(tuple(blocks), tuple(subtract(protection.inline, blocks)))


def _piece(
    part: Section, measure: Measure, protection: Protection, documents: Sequence[Document], scene: _Scene
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


def _measure(part: Section, scene: _Scene, size: int, documents: Sequence[Document]) -> Measure:
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
