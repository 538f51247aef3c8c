"""What to do with each text of a request: leave it alone, and why, or shorten which parts of it how far.

Pure: the same text under the same policy always gets the same plan, whatever stands beside it in the request.
Knows no compressor; carrying a plan out is the proxy's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.cuts import around, cut, joined
from policies.groups import Setting, Text
from policies.pieces import Piece, Scene, Tokenizer, pieces
from policies.policy import Policy
from policies.protection import Span
from policies.protection.spans import union
from policies.rules import Range, Target
from policies.segments import Section
from policies.skip import Skip
from policies.tool_definitions import TOOLS, descriptions


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
    scene = Scene(text, parts, policy, reach, sent, tokenizer, rate, setting)
    found, expected, droppable = pieces(scene)
    if not droppable:
        return left(Skip.PROTECTED)
    if sent - expected < max(policy.min_saved_tokens, 1) and reach.min_probability is None:
        return left(Skip.SMALL_SAVING)
    return TextPlan(tokens, whole, found, None, expected)


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
