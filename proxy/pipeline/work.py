"""What is decided by a plan and a compressor, within the policy's deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from compressors import Job
from compressors.engines import NotReadyError, QueueFullError, give_way
from policies.break_even import most_saved_tokens
from policies.groups import Setting, Text, settings
from policies.plan import TextPlan, glance, plan_text
from policies.skip import Skip
from policies.tokens import tokenizer
from proxy.metrics import BREAK_EVEN, COMPRESSOR_SECONDS_PER_TOKEN, FAILURES
from proxy.pipeline.jobs import commissions
from proxy.pipeline.order import Order
from proxy.pipeline.verdicts import Attempt, as_it_came, decisions, outcomes, skip_of
from proxy.store.decision import Decision
from proxy.store.memory import Memory


class Work:
    """Plans texts on threads, has them shortened, and remembers what was decided."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._threads = ThreadPoolExecutor(2, "laconic-plan", initializer=give_way)

    async def decide(
        self, texts: Mapping[bytes, Text], request: Sequence[Text], order: Order
    ) -> dict[bytes, Decision]:
        """A decision for each of `texts`, which are some of a request's; those not of the moment are remembered."""
        made = await self._shorten(texts, request, order)
        lasting = {k: d for k, d in made.items() if d.skip is None or not d.skip.is_of_the_moment}
        return made | await self._memory.settle(lasting)

    async def _shorten(
        self, texts: Mapping[bytes, Text], request: Sequence[Text], order: Order
    ) -> dict[bytes, Decision]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + order.policy.deadline_ms / 1000
        planning = loop.run_in_executor(self._threads, _plan_all, list(texts.values()), request, order)
        done, _ = await asyncio.wait([planning], timeout=deadline - loop.time())
        if not done:
            FAILURES.labels(Skip.DEADLINE).inc(len(texts))
            return {key: as_it_came(text, Skip.DEADLINE, order.tags) for key, text in texts.items()}
        plans = _weighed(dict(zip(texts, planning.result(), strict=True)), order)
        jobs = commissions(texts, plans, order.policy, tokenizer(order.encoding))
        attempts = [(commission, _submit(commission.job, order)) for commission in jobs]
        futures = [future for _, future in attempts if not isinstance(future, Skip)]
        try:
            if futures:
                await asyncio.wait(futures, timeout=max(deadline - loop.time(), 0))
        finally:  # late ones, and all of them when the last client is gone
            for future in futures:
                future.cancel()
        speed = order.engine.speed.seconds_per_token
        COMPRESSOR_SECONDS_PER_TOKEN.labels(order.policy.compressor).set(speed)
        found = outcomes(attempts, order)
        return await loop.run_in_executor(self._threads, decisions, texts, plans, found, order)


def at_a_glance(text: Text, order: Order) -> Skip | None:
    """Why `text` is left alone, as far as its role, its length and the compressor's load tell."""
    reason = glance(text, order.policy)
    if reason is not None or order.policy.reshapes_json:  # which needs no compressor
        return reason
    saved = most_saved_tokens(text.text, order.policy, order.rate)
    return None if order.pays(saved, order.engine.expected_s(len(text.text))) else _turned_away(order)


def _plan_all(texts: Sequence[Text], request: Sequence[Text], order: Order) -> list[TextPlan]:
    counter = tokenizer(order.encoding)
    around: Mapping[Text, Setting] = {}
    if order.terms.by_group:
        around = settings(request, {text.group for text in texts}, order.policy.documents)
    return [
        plan_text(text, order.policy, counter, rate=order.rate, tags=order.tags, setting=around.get(text))
        for text in texts
    ]


def _weighed(plans: Mapping[bytes, TextPlan], order: Order) -> dict[bytes, TextPlan]:
    """The plans, but for those whose saving isn't worth the time, all that goes before included."""
    weighed, characters = {}, 0
    for key, plan in plans.items():
        size = characters + sum(piece.span[1] - piece.span[0] for piece in plan.pieces)
        if not plan.pieces or _pays(plan, size, order):
            weighed[key], characters = plan, size
        else:
            weighed[key] = replace(plan, pieces=(), skip=_turned_away(order))
    return weighed


def _pays(plan: TextPlan, characters: int, order: Order) -> bool:
    if any(piece.measure.min_probability is not None for piece in plan.pieces):
        return True  # only the model can tell what it will save
    pays = order.pays(plan.original_tokens - plan.expected_tokens, order.engine.expected_s(characters))
    if pays:
        BREAK_EVEN.labels(order.policy.compressor, "worth").inc()
    return pays


def _turned_away(order: Order) -> Skip:
    BREAK_EVEN.labels(order.policy.compressor, "not_worth").inc()
    return Skip.NOT_WORTH


def _submit(job: Job, order: Order) -> Attempt:
    try:
        return order.engine.submit(job)
    except (QueueFullError, NotReadyError) as error:
        return skip_of(error)
