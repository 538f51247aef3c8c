"""From what a compressor gave to a decision about each text: check, count, and leave alone what isn't worth it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from compressors import Compressed, ModelError, Span, render
from compressors.engines import NotReadyError, QueueFullError, Shortened
from policies.groups import Text
from policies.invariants import violations
from policies.plan import TextPlan
from policies.protection import Protection
from policies.protection.spans import union
from policies.segments import sections
from policies.skip import Skip
from policies.tokens import Tokenizer, tokenizer
from policies.tool_definitions import TOOLS
from proxy.metrics import FAILURES, INVARIANT_VIOLATIONS, STAGE_SECONDS
from proxy.pipeline.jobs import Commission, Remainder, remainders
from proxy.pipeline.order import Order
from proxy.store.decision import Decision

Attempt = asyncio.Future[Shortened] | Skip
"""A job on its way through the compressor, or why it isn't."""
Outcome = list[Remainder] | Skip
"""What stays of each piece of a text, in order, or why there is nothing."""

# Reasons for which no words go; what else may go of the text does.
_ALL_THAT_MAY_GO = (Skip.PROTECTED, Skip.SMALL_SAVING)
_log = logging.getLogger("laconic.pipeline")


def as_it_came(text: Text, reason: Skip, tags: bool, known: Decision | None = None) -> Decision:
    """Send all of `text` but its markup, for `reason`; nobody has counted yet, unless the same is `known`."""
    if known is not None:
        return known if known.skip == reason else known.because(reason)
    whole = [(0, len(text.text))]
    spans = [section.span for section in sections(text.text)] if tags and text.role != TOOLS else whole
    return Decision(0, 0, None if spans == whole else spans, reason)


def counted(text: str, decision: Decision, counter: Tokenizer) -> Decision:
    """`decision` with the tokens of `text`."""
    tokens = counter.count(text)
    sent = tokens if decision.spans is None else counter.count(decision.render(text))
    return decision.with_counts(tokens, sent)


def outcomes(attempts: Iterable[tuple[Commission, Attempt]], order: Order) -> dict[bytes, Outcome]:
    """By text: what stays of its pieces, in order; the first failure stands for the whole text."""
    found: dict[bytes, Outcome] = {}
    for commission, attempt in attempts:
        result = _result(attempt, order)
        if isinstance(result, Skip):
            for share in commission.shares:
                if not isinstance(found.get(share.key), Skip):
                    FAILURES.labels(result).inc()
                found[share.key] = result
            continue
        for share, remainder in remainders(commission, result):
            pieces = found.setdefault(share.key, [])
            if not isinstance(pieces, Skip):
                pieces.append(remainder)
    return found


def _result(attempt: Attempt, order: Order) -> Compressed | Skip:
    """A job's result, or why there is none."""
    if isinstance(attempt, Skip):
        return attempt
    if attempt.cancelled():
        return Skip.DEADLINE
    if (error := attempt.exception()) is not None:
        return skip_of(error)
    shortened = attempt.result()
    for stage, seconds in shortened.timings.stages():
        STAGE_SECONDS.labels(order.policy.compressor, stage).observe(seconds)
    return shortened.result


def skip_of(error: BaseException) -> Skip:
    """Why a text is left alone whose job ended so, here or in another process."""
    if isinstance(error, QueueFullError):
        return Skip.OVERLOADED
    if isinstance(error, NotReadyError):
        return Skip.NOT_READY
    _log.error("compressor failed: %s", error if isinstance(error, ModelError) else type(error).__name__)
    return Skip.FAILED


def decisions(
    texts: Mapping[bytes, Text],
    plans: Mapping[bytes, TextPlan],
    found: Mapping[bytes, Outcome],
    order: Order,
) -> dict[bytes, Decision]:
    """What is decided about each text from its plan and what was found for it."""
    counter = tokenizer(order.encoding)
    return {
        key: _decision(texts[key], plan, found.get(key, plan.skip or Skip.FAILED), order, counter)
        for key, plan in plans.items()
    }


def _decision(text: Text, plan: TextPlan, outcome: Outcome, order: Order, counter: Tokenizer) -> Decision:
    if isinstance(outcome, Skip):
        return _left(text, plan, outcome, order, counter)
    if all(result.unreadable for result in outcome):
        return _left(text, plan, Skip.UNREADABLE, order, counter)
    for piece, result in zip(plan.pieces, outcome, strict=True):
        content = text.text[piece.span[0] : piece.span[1]]
        broken = violations(
            content,
            result.spans,
            Protection(piece.blocks, (*piece.inline, *piece.heads)),
            order.policy.protect,
            documents=piece.documents,
            dropped=result.dropped,
        )
        for kind in broken:
            INVARIANT_VIOLATIONS.labels(kind).inc()
        if broken:
            return _left(text, plan, Skip.INVARIANT, order, counter)
    spans = _joined(plan, outcome)
    sent = counter.count(render(text.text, spans))
    if plan.original_tokens - sent < max(order.policy.min_saved_tokens, 1):
        return _left(text, plan, Skip.SMALL_SAVING, order, counter)
    return Decision(plan.original_tokens, sent, spans)


def _left(text: Text, plan: TextPlan, reason: Skip, order: Order, counter: Tokenizer) -> Decision:
    """Send all of the text but what needs no model to go: its markup, and what the policy leaves out of JSON."""
    if reason.is_of_the_moment:  # the conversation remembers no more than that it went as it came
        return counted(text.text, as_it_came(text, reason, order.tags), counter)
    whole = union(plan.whole)
    if whole == [(0, len(text.text))] or not text.text:
        return Decision(plan.original_tokens, plan.original_tokens, None, reason)
    sent = counter.count(render(text.text, whole))
    policy = order.policy
    if reason not in _ALL_THAT_MAY_GO or not policy.reshapes_json:
        return Decision(plan.original_tokens, sent, whole, reason)
    if policy.json_rules or plan.original_tokens - sent >= max(policy.min_saved_tokens, 1):
        return Decision(plan.original_tokens, sent, whole)
    return counted(text.text, as_it_came(text, Skip.SMALL_SAVING, order.tags), counter)


def _joined(plan: TextPlan, results: Sequence[Remainder]) -> list[Span]:
    """The kept spans of the whole text: what its pieces keep, and the parts between them."""
    shortened = {piece.span: result.spans for piece, result in zip(plan.pieces, results, strict=True)}
    spans: list[Span] = []
    for part in plan.whole:
        for start, end in shortened.get(part, ((0, part[1] - part[0]),)):
            a, b = part[0] + start, part[0] + end
            if spans and spans[-1][1] == a:
                spans[-1] = (spans[-1][0], b)
            else:
                spans.append((a, b))
    return spans
