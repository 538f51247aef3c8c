"""Carry out plans: from the texts of a request to a remembered decision for each.

Knows stores and batchers; knows neither HTTP nor where texts sit in a body.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from compressors import Compressed, Job, Span, render
from compressors.batcher import Batcher, NotReadyError, QueueFullError, Shortened
from policies.config import Policy
from policies.invariants import violations
from policies.plan import Piece, Skip, Text, TextPlan, plan_text
from policies.protection import Protection
from policies.segments import sections
from policies.tokens import Tokenizer, tokenizer
from proxy.metrics import FAILURES, INVARIANT_VIOLATIONS, QUEUE_SECONDS
from proxy.store.decision import Decision, Keys
from proxy.store.memory import Memory

_log = logging.getLogger("laconic.pipeline")


@dataclass(frozen=True, slots=True)
class Order:
    """How the texts of one request are to be shortened."""

    policy: Policy
    engine: Batcher
    keys: Keys
    """Depend on who shares the decisions, and on all else that they depend on beside the text and its role."""
    encoding: str
    rate: float | None
    tags: bool


class Pipeline:
    """Decides about texts, once for each: remembered decisions first, then those in flight, then the model."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._flights: dict[bytes, _Flight] = {}
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="laconic-plan")

    async def decide(self, texts: Sequence[Text], order: Order) -> list[Decision]:
        """A decision for each text, in order; what isn't ready at the policy's deadline is left as it is."""
        by_role = {role: order.keys.within(role.encode()) for role in {text.role for text in texts}}
        keys = [by_role[role].digest(text.encode("utf-8", "surrogatepass")) for role, text in texts]
        known = dict(zip(keys, await self._memory.get_many(keys), strict=True))
        if None not in known.values():
            return [decision for key in keys if (decision := known[key]) is not None]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
        joined = {key: self._flights[key] for key in fresh if key in self._flights}
        ours = {key: text for key, text in fresh.items() if key not in joined}
        if ours:
            joined |= dict.fromkeys(ours, _Flight(self._take_off(ours, order), ours, self._flights))
        landed: dict[bytes, Decision] = {}
        boarded = {flight: flight.board() for flight in set(joined.values())}
        for result in await asyncio.gather(*boarded.values()):
            landed |= result
        return [known[key] or landed[key] for key in keys]

    async def _take_off(self, texts: Mapping[bytes, Text], order: Order) -> dict[bytes, Decision]:
        decisions = await self._shorten(texts, order)
        keep = decisions
        if order.policy.on_failure == "reject":  # a refused request may be tried again
            keep = {k: d for k, d in decisions.items() if d.skip is None or not d.skip.is_failure}
        return decisions | await self._memory.settle(keep)

    async def _shorten(self, texts: Mapping[bytes, Text], order: Order) -> dict[bytes, Decision]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + order.policy.deadline_ms / 1000
        planning = loop.run_in_executor(self._threads, _plan_all, list(texts.values()), order)
        done, _ = await asyncio.wait([planning], timeout=deadline - loop.time())
        if not done:
            FAILURES.labels(Skip.DEADLINE).inc(len(texts))
            return {key: _uncounted(text.text, order) for key, text in texts.items()}
        plans = dict(zip(texts, planning.result(), strict=True))
        waiting = {
            key: _submit(texts[key].text, plan, order) for key, plan in plans.items() if plan.skip is None
        }
        futures = [
            future for attempt in waiting.values() if not isinstance(attempt, Skip) for future in attempt
        ]
        try:
            if futures:
                await asyncio.wait(futures, timeout=max(deadline - loop.time(), 0))
        finally:  # late ones, and all of them when the last client is gone
            for future in futures:
                future.cancel()
        outcomes = {key: _outcome(attempt, order) for key, attempt in waiting.items()}
        return await loop.run_in_executor(self._threads, _decide_all, texts, plans, outcomes, order)


class _Flight:
    """Decisions being made, in `flights` under their keys for as long as somebody waits for them."""

    def __init__(
        self,
        work: Coroutine[Any, Any, dict[bytes, Decision]],
        keys: Iterable[bytes],
        flights: dict[bytes, _Flight],
    ) -> None:
        self._keys = tuple(keys)
        self._flights = flights
        self._waiters = 0
        flights |= dict.fromkeys(self._keys, self)
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._land)

    def board(self) -> Coroutine[Any, Any, dict[bytes, Decision]]:
        """Wait for the decisions, counted from this call on."""
        self._waiters += 1
        return self._wait()

    async def _wait(self) -> dict[bytes, Decision]:
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiters -= 1
            if not self._waiters and not self._task.done():
                self._leave()  # at once: nobody may join what is given up
                self._task.cancel()

    def _land(self, task: asyncio.Task[dict[bytes, Decision]]) -> None:
        self._leave()
        if not task.cancelled():
            task.exception()  # was raised to those who waited; without them, nobody needs to hear of it

    def _leave(self) -> None:
        for key in self._keys:
            if self._flights.get(key) is self:
                del self._flights[key]


_Attempt = list[asyncio.Future[Shortened]] | Skip
_Outcome = list[Compressed] | Skip


def _uncounted(text: str, order: Order) -> Decision:
    """Left alone because not even planning was done in time: a token has about four characters."""
    spans = [section.span for section in sections(text)] if order.tags else None
    return Decision(len(text) // 4, len(text) // 4, spans, Skip.DEADLINE)


def _plan_all(texts: Iterable[Text], order: Order) -> list[TextPlan]:
    counter = tokenizer(order.encoding)
    return [plan_text(text, order.policy, counter, rate=order.rate, tags=order.tags) for text in texts]


def _submit(text: str, plan: TextPlan, order: Order) -> _Attempt:
    futures: list[asyncio.Future[Shortened]] = []
    try:
        for piece in plan.pieces:
            futures.append(order.engine.submit(_job(text, piece, order)))
    except (QueueFullError, NotReadyError) as error:
        for future in futures:
            future.cancel()
        return Skip.OVERLOADED if isinstance(error, QueueFullError) else Skip.NOT_READY
    return futures


def _job(text: str, piece: Piece, order: Order) -> Job:
    policy = order.policy
    return Job(
        text=text[piece.span[0] : piece.span[1]],
        rate=piece.measure.rate or 1.0,
        target_tokens=piece.measure.target_tokens,
        min_probability=piece.measure.min_probability,
        verbatim=piece.blocks,
        forced=piece.inline,
        force_tokens=policy.force_tokens,
        force_reserve_digit=policy.force_reserve_digit,
        drop_consecutive=policy.drop_consecutive,
        chunk_end_tokens=policy.chunk_end_tokens,
        token_to_word=policy.token_to_word,
        tokenizer=tokenizer(order.encoding),
    )


def _outcome(attempt: _Attempt, order: Order) -> _Outcome:
    """The results of a text's pieces, or why there are none."""
    if isinstance(attempt, Skip):
        FAILURES.labels(attempt).inc()
        return attempt
    results = []
    for future in attempt:
        if future.cancelled():
            FAILURES.labels(Skip.DEADLINE).inc()
            return Skip.DEADLINE
        if (error := future.exception()) is not None:
            FAILURES.labels(Skip.FAILED).inc()
            _log.error("compressor failed: %s", type(error).__name__)
            return Skip.FAILED
        shortened = future.result()
        QUEUE_SECONDS.labels(order.policy.compressor).observe(shortened.queue_s)
        results.append(shortened.result)
    return results


def _decide_all(
    texts: Mapping[bytes, Text],
    plans: Mapping[bytes, TextPlan],
    outcomes: Mapping[bytes, _Outcome],
    order: Order,
) -> dict[bytes, Decision]:
    counter = tokenizer(order.encoding)
    return {
        key: _decision(texts[key].text, plan, outcomes.get(key, plan.skip or Skip.FAILED), order, counter)
        for key, plan in plans.items()
    }


def _decision(text: str, plan: TextPlan, outcome: _Outcome, order: Order, counter: Tokenizer) -> Decision:
    if isinstance(outcome, Skip):
        return _left(text, plan, outcome, counter)
    if all(result.unreadable for result in outcome):
        return _left(text, plan, Skip.UNREADABLE, counter)
    for piece, result in zip(plan.pieces, outcome, strict=True):
        content = text[piece.span[0] : piece.span[1]]
        broken = violations(
            content, result.spans, Protection(piece.blocks, piece.inline), order.policy.protect
        )
        for kind in broken:
            INVARIANT_VIOLATIONS.labels(kind).inc()
        if broken:
            return _left(text, plan, Skip.INVARIANT, counter)
    spans = _joined(plan, outcome)
    sent = counter.count(render(text, spans))
    if plan.original_tokens - sent < max(order.policy.min_saved_tokens, 1):
        return _left(text, plan, Skip.SMALL_SAVING, counter)
    return Decision(plan.original_tokens, sent, spans)


def _left(text: str, plan: TextPlan, reason: Skip, counter: Tokenizer) -> Decision:
    """Send all of the text but its markup."""
    if plan.whole == ((0, len(text)),) or not text:
        return Decision(plan.original_tokens, plan.original_tokens, None, reason)
    return Decision(plan.original_tokens, counter.count(render(text, plan.whole)), plan.whole, reason)


def _joined(plan: TextPlan, results: Sequence[Compressed]) -> list[Span]:
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
