"""Carry out plans: from the texts of a request to a remembered decision for each.

Knows stores and batchers; knows neither HTTP nor where texts sit in a body.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from compressors import Compressed, Job, Span, render
from compressors.batcher import Batcher, NotReadyError, QueueFullError, Shortened
from policies.groups import Setting, Text, arrivals, settings
from policies.invariants import violations
from policies.plan import Skip, TextPlan, plan_text
from policies.policy import Policy
from policies.protection import Protection
from policies.protection.spans import union
from policies.segments import sections
from policies.tokens import Tokenizer, tokenizer
from proxy.jobs import Commission, Remainder, commissions, remainders
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
    by_group: bool = False
    """Whether a text's decision depends on its arrival group: on a question or on other documents."""


class Pipeline:
    """Decides about texts, once for each: remembered decisions first, then those in flight, then the model."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._flights: dict[bytes, _Flight] = {}
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="laconic-plan")

    async def decide(self, texts: Sequence[Text], order: Order) -> list[Decision]:
        """A decision for each text, in order; what isn't ready at the policy's deadline is left as it is."""
        keys = list(_keys(texts, order))
        known = dict(zip(keys, await self._memory.get_many(keys), strict=True))
        if None not in known.values():
            return [decision for key in keys if (decision := known[key]) is not None]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
        joined = {key: self._flights[key] for key in fresh if key in self._flights}
        ours = {key: text for key, text in fresh.items() if key not in joined}
        if ours and order.by_group:  # what is decided together is decided from the same texts again
            groups = {text.group for text in ours.values()}
            ours = {key: text for key, text in zip(keys, texts, strict=True) if text.group in groups}
        if ours:
            flight = _Flight(self._take_off(ours, texts, order), ours, self._flights)
            joined |= dict.fromkeys(ours, flight)
        landed: dict[bytes, Decision] = {}
        boarded = {flight: flight.board() for flight in set(joined.values())}
        for result in await asyncio.gather(*boarded.values()):
            landed |= result
        return [known[key] or landed[key] for key in keys]

    async def _take_off(
        self, texts: Mapping[bytes, Text], request: Sequence[Text], order: Order
    ) -> dict[bytes, Decision]:
        decisions = await self._shorten(texts, request, order)
        keep = decisions
        if order.policy.on_failure == "reject":  # a refused request may be tried again
            keep = {k: d for k, d in decisions.items() if d.skip is None or not d.skip.is_failure}
        return decisions | await self._memory.settle(keep)

    async def _shorten(
        self, texts: Mapping[bytes, Text], request: Sequence[Text], order: Order
    ) -> dict[bytes, Decision]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + order.policy.deadline_ms / 1000
        planning = loop.run_in_executor(self._threads, _plan_all, list(texts.values()), request, order)
        done, _ = await asyncio.wait([planning], timeout=deadline - loop.time())
        if not done:
            FAILURES.labels(Skip.DEADLINE).inc(len(texts))
            return {key: _uncounted(text.text, order) for key, text in texts.items()}
        plans = dict(zip(texts, planning.result(), strict=True))
        jobs = commissions(texts, plans, order.policy, tokenizer(order.encoding))
        attempts = [(commission, _submit(commission.job, order)) for commission in jobs]
        futures = [future for _, future in attempts if not isinstance(future, Skip)]
        try:
            if futures:
                await asyncio.wait(futures, timeout=max(deadline - loop.time(), 0))
        finally:  # late ones, and all of them when the last client is gone
            for future in futures:
                future.cancel()
        outcomes = _outcomes(attempts, order)
        return await loop.run_in_executor(self._threads, _decide_all, texts, plans, outcomes, order)


def _keys(texts: Sequence[Text], order: Order) -> Iterator[bytes]:
    """What each text's decision is remembered under."""
    if not order.by_group:
        by_role = {role: order.keys.within(role.encode()) for role in {text.role for text in texts}}
        for text in texts:
            yield by_role[text.role].digest(text.text.encode("utf-8", "surrogatepass"))
        return
    for (_, members), arrived in zip(
        groupby(texts, key=lambda text: text.group), arrivals(texts), strict=True
    ):
        parts = [part.encode("utf-8", "surrogatepass") for text in arrived for part in text[:2]]
        keys = order.keys.within(*parts)
        for place, text in enumerate(members):
            within = keys.within(text.role.encode(), str(place).encode())
            yield within.digest(text.text.encode("utf-8", "surrogatepass"))


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


_Attempt = asyncio.Future[Shortened] | Skip
_Outcome = list[Remainder] | Skip
"""What stays of each piece of a text, in order, or why there is nothing."""


def _uncounted(text: str, order: Order) -> Decision:
    """Left alone because not even planning was done in time: a token has about four characters."""
    spans = [section.span for section in sections(text)] if order.tags else None
    return Decision(len(text) // 4, len(text) // 4, spans, Skip.DEADLINE)


def _plan_all(texts: Sequence[Text], request: Sequence[Text], order: Order) -> list[TextPlan]:
    counter = tokenizer(order.encoding)
    around: Mapping[Text, Setting] = {}
    if order.by_group:
        around = settings(request, {text.group for text in texts}, order.policy.documents)
    return [
        plan_text(text, order.policy, counter, rate=order.rate, tags=order.tags, setting=around.get(text))
        for text in texts
    ]


def _submit(job: Job, order: Order) -> _Attempt:
    try:
        return order.engine.submit(job)
    except QueueFullError:
        return Skip.OVERLOADED
    except NotReadyError:
        return Skip.NOT_READY


def _outcomes(attempts: Iterable[tuple[Commission, _Attempt]], order: Order) -> dict[bytes, _Outcome]:
    """By text: what stays of its pieces, in order; the first failure stands for the whole text."""
    outcomes: dict[bytes, _Outcome] = {}
    for commission, attempt in attempts:
        result = _result(attempt, order)
        if isinstance(result, Skip):
            for share in commission.shares:
                if not isinstance(outcomes.get(share.key), Skip):
                    FAILURES.labels(result).inc()
                outcomes[share.key] = result
            continue
        for share, remainder in remainders(commission, result):
            pieces = outcomes.setdefault(share.key, [])
            if not isinstance(pieces, Skip):
                pieces.append(remainder)
    return outcomes


def _result(attempt: _Attempt, order: Order) -> Compressed | Skip:
    """A job's result, or why there is none."""
    if isinstance(attempt, Skip):
        return attempt
    if attempt.cancelled():
        return Skip.DEADLINE
    if (error := attempt.exception()) is not None:
        _log.error("compressor failed: %s", type(error).__name__)
        return Skip.FAILED
    shortened = attempt.result()
    QUEUE_SECONDS.labels(order.policy.compressor).observe(shortened.queue_s)
    return shortened.result


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
            return _left(text, plan, Skip.INVARIANT, counter)
    spans = _joined(plan, outcome)
    sent = counter.count(render(text, spans))
    if plan.original_tokens - sent < max(order.policy.min_saved_tokens, 1):
        return _left(text, plan, Skip.SMALL_SAVING, counter)
    return Decision(plan.original_tokens, sent, spans)


def _left(text: str, plan: TextPlan, reason: Skip, counter: Tokenizer) -> Decision:
    """Send all of the text but its markup."""
    whole = union(plan.whole)
    if whole == [(0, len(text))] or not text:
        return Decision(plan.original_tokens, plan.original_tokens, None, reason)
    return Decision(plan.original_tokens, counter.count(render(text, whole)), whole, reason)


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
