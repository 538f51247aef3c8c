"""What to do with each text of a request: leave it alone, and why, or shorten which parts of it how far.

Pure: the same text under the same policy always gets the same plan, whatever stands beside it in the request.
Knows no compressor; carrying a plan out is the proxy's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from policies.config import Policy, Range, Target
from policies.protection import Span, protect
from policies.segments import Section, sections


class Skip(StrEnum):
    """Why a text was left as it was; the words stand in headers, metrics and logs."""

    OFF = "off"  # a target rule says so
    ROLE = "role"  # no target rule speaks of this role
    SHORT = "too_short"  # fewer tokens than the rules and ranges ask for
    PROTECTED = "protected"  # nothing in it may be dropped
    SMALL_SAVING = "small_saving"  # less to save than min_saved_tokens
    UNREADABLE = "unreadable"  # not a language that the model reads
    INVARIANT = "invariant"  # the result broke a guard
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


_FAILURES = frozenset((Skip.DEADLINE, Skip.OVERLOADED, Skip.FAILED, Skip.NOT_READY))


class Tokenizer(Protocol):
    """Counts as the upstream's model does."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""


class Text(NamedTuple):
    """A text of a request with the role of its message."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a piece is shortened: exactly one is set."""

    rate: float | None = None
    target_tokens: int | None = None
    min_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text to shorten; `blocks` and `inline` are protected, counted from the piece's own start."""

    span: Span
    measure: Measure
    blocks: tuple[Span, ...]
    inline: tuple[Span, ...]


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


def arrival_groups(roles: Iterable[str]) -> list[int]:
    """Number each message by its arrival group: a maximal run of messages between two assistant messages.

    An assistant message belongs to the group that it answers.
    """
    groups, group, answered = [], 0, False
    for role in roles:
        if answered and role != "assistant":
            group += 1
        answered = role == "assistant"
        groups.append(group)
    return groups


def plan_text(
    text: Text, policy: Policy, tokenizer: Tokenizer, *, rate: float | None = None, tags: bool = False
) -> TextPlan:
    """Decide what happens to `text`; `rate` replaces the policy's where a request asked for one in (0, 1].

    With `tags`, `<laconic:keep>` and `<llmlingua>` markup is obeyed, and stripped in any case.
    """
    parts = sections(text.text) if tags else (Section((0, len(text.text)), None, True),)
    whole = tuple(part.span for part in parts if part.span[0] < part.span[1])
    tokens = tokenizer.count(text.text)

    def left(reason: Skip) -> TextPlan:
        sent = tokens if not tags else tokenizer.count("".join(text.text[start:end] for start, end in whole))
        return TextPlan(tokens, whole, skip=reason, expected_tokens=sent)

    target, reason = _target(text.role, tokens, policy.targets)
    if target is None:
        return left(reason)
    reach = next((r for r in policy.ranges if r.fits(tokens)), None)
    if reach is None:
        return left(Skip.SHORT)
    pieces, expected, droppable = _pieces(text.text, parts, policy, reach, tokens, tokenizer, rate)
    if not droppable:
        return left(Skip.PROTECTED)
    if tokens - expected < max(policy.min_saved_tokens, 1) and reach.min_probability is None:
        return left(Skip.SMALL_SAVING)
    return TextPlan(tokens, whole, pieces, None, expected)


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


def _pieces(
    text: str,
    parts: Sequence[Section],
    policy: Policy,
    reach: Range,
    tokens: int,
    tokenizer: Tokenizer,
    rate: float | None,
) -> tuple[tuple[Piece, ...], int, bool]:
    """The parts to shorten, the tokens expected to remain of the text, and whether anything may be dropped."""
    pieces: list[Piece] = []
    expected, droppable = 0.0, False
    for part in parts:
        start, end = part.span
        content = text[start:end]
        size = tokens if len(content) == len(text) else tokenizer.count(content)
        if not part.compress:
            expected += size
            continue
        protection = protect(content, policy.protect)
        fixed = sum(tokenizer.count(content[a:b]) for a, b in protection.blocks)
        kept = sum(tokenizer.count(content[a:b]) for a, b in protection.inline)
        measure = _measure(part, policy, reach, tokens, alone=len(content) == len(text), rate=rate)
        free = max(size - fixed, 0)
        droppable |= free > kept
        pieces.append(Piece(part.span, measure, protection.blocks, protection.inline))
        expected += fixed + max(kept, _expected(measure, free, fixed))
    return tuple(pieces), round(expected), droppable


def _measure(
    part: Section, policy: Policy, reach: Range, tokens: int, *, alone: bool, rate: float | None
) -> Measure:
    if part.rate is not None:
        return Measure(rate=max(part.rate, policy.min_rate or 0.0))
    if rate is not None:
        return Measure(rate=rate)
    if reach.target_tokens is not None and not alone:  # several parts share the text's budget evenly
        return Measure(rate=min(reach.target_tokens / tokens, 1.0))
    return Measure(reach.rate, reach.target_tokens, reach.min_probability)


def _expected(measure: Measure, free: int, fixed: int) -> float:
    """Tokens expected to remain of `free` droppable ones; all of them where only the model can tell."""
    if measure.rate is not None:
        return measure.rate * free
    if measure.target_tokens is not None:
        return min(max(measure.target_tokens - fixed, 0), free)
    return free
