"""A request's way to its decisions: remembered ones first, then those in flight, then the model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from policies.groups import Text
from policies.tokens import tokenizer
from proxy.pipeline.course import cluster_of, conversation_of, is_as_it_came, why_closed
from proxy.pipeline.flights import Flights
from proxy.pipeline.history import History
from proxy.pipeline.order import Order
from proxy.pipeline.recall import Recall
from proxy.pipeline.verdicts import counted, left_alone
from proxy.pipeline.work import Work, at_a_glance
from proxy.store.conversation import Conversation, begun
from proxy.store.decision import Decision
from proxy.store.memory import Memory


@dataclass(slots=True)
class Decided:
    """A decision for each text of a request, in order."""

    decisions: list[Decision]
    held_out: bool = False
    """Whether the conversation is one that savings are measured against."""
    cluster: int = 0
    """Which of 32 random groups of conversations this one belongs to."""
    counting: asyncio.Future[list[Decision]] | None = None
    """The same decisions with all tokens counted, where that had to wait."""
    failures: dict[bytes, Decision] = field(default_factory=dict)
    """What is to be remembered only if the request is sent all the same."""

    async def counted(self) -> list[Decision]:
        """The decisions, all counted."""
        return self.decisions if self.counting is None else await asyncio.shield(self.counting)


class Pipeline:
    """Decides about texts, once for each, and keeps what a conversation has sent as it was sent."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._flights = Flights()
        self._work = Work(memory)
        # Of its own, so that no plan waits behind a count that nobody waits for.
        self._counter = ThreadPoolExecutor(1, thread_name_prefix="laconic-count")

    async def decide(self, texts: Sequence[Text], order: Order, *, rehearsal: bool = False) -> Decided:
        """A decision for each text; what isn't ready at the policy's deadline is left as it is.

        A `rehearsal` decides as if the conversation had passed here from its first message on, and isn't
        remembered as having passed.
        """
        if not texts:
            return Decided([])
        history, recall = History(texts, order.scope), Recall(self._memory)
        conversation, keys = await self._look_up(history, recall, order, rehearsal=rehearsal)
        found = {place: recall.decision(keys[place]) for place in keys}
        unknown = [place for place in keys if found[place] is None]
        left, passing = self._left(unknown, history, keys, conversation, order)
        fresh = {keys[place][-1]: texts[place] for place in unknown if keys[place][-1] not in left | passing}
        conversations = {}
        if not rehearsal and recall.conversation(history.turns[history.last]) != conversation:
            conversations[history.turns[history.last]] = conversation
        settled, made = await asyncio.gather(
            self._memory.settle(left, conversations), self._made(fresh, history, keys, order)
        )
        made |= settled | passing
        decisions = [found[place] or made[keys[place][-1]] for place in range(len(texts))]
        return Decided(
            decisions,
            conversation.held_out,
            cluster_of(history),
            self._counting(texts, decisions, [keys[place][-1] for place in range(len(texts))], order),
            {key: d for key, d in made.items() if order.forgets(d)},
        )

    async def remember(self, failures: Mapping[bytes, Decision]) -> None:
        """Remember what a request was sent with although compression failed."""
        if failures:
            await self._memory.settle(failures)

    async def _look_up(
        self, history: History, recall: Recall, order: Order, *, rehearsal: bool
    ) -> tuple[Conversation, dict[int, tuple[bytes, ...]]]:
        """The conversation, and for each text the keys under which its decision may stand, all of them asked for."""
        places = range(len(history.texts))
        keys = history.keys(order.terms, places)  # as most conversations know no other terms
        turns = () if rehearsal else list(history.turns.values())[-2:]
        await recall.ask((*turns, *(key for candidates in keys.values() for key in candidates)))
        if rehearsal:
            return begun(order.terms), keys
        conversation = await conversation_of(history, recall, order)
        for era in conversation.eras:
            if era.terms != order.terms:
                own = [place for place in places if conversation.era(history.texts[place].group) == era]
                keys |= history.keys(era.terms, own, order.plain if is_as_it_came(era) else b"")
        await recall.ask(key for candidates in keys.values() for key in candidates)
        return conversation, keys

    def _left(
        self,
        places: Iterable[int],
        history: History,
        keys: Mapping[int, tuple[bytes, ...]],
        conversation: Conversation,
        order: Order,
    ) -> tuple[dict[bytes, Decision], dict[bytes, Decision]]:
        """Decisions that need no model: those to remember, and those that the conversation tells in any case."""
        settle: dict[bytes, Decision] = {}
        passing: dict[bytes, Decision] = {}
        for place in places:
            text = history.texts[place]
            era = conversation.era(text.group)
            closed = why_closed(era, order)
            reason = closed or at_a_glance(text, order)
            if reason is not None:
                to = passing if closed and era.terms != order.terms else settle
                to[keys[place][-1]] = left_alone(text.text, reason, tags=order.tags)
        return settle, passing

    async def _made(
        self,
        fresh: Mapping[bytes, Text],
        history: History,
        keys: Mapping[int, tuple[bytes, ...]],
        order: Order,
    ) -> dict[bytes, Decision]:
        """Decisions about `fresh` texts, ours or those that another request is waiting for already."""
        if not fresh:
            return {}
        ours = {key: text for key, text in fresh.items() if key not in self._flights}
        if ours and order.terms.by_group:  # what is decided together is decided from the same texts again
            groups = {text.group for text in ours.values()}
            together = {
                keys[place][-1]: text for place, text in enumerate(history.texts) if text.group in groups
            }
            ours = {k: text for k, text in together.items() if k in fresh or at_a_glance(text, order) is None}
        if ours:
            self._flights.take_off(self._work.decide(ours, history.texts, order), ours)
        return await self._flights.land(fresh)

    def _counting(
        self, texts: Sequence[Text], decisions: Sequence[Decision], keys: Sequence[bytes], order: Order
    ) -> asyncio.Future[list[Decision]] | None:
        """Count in the background what no decision needed to be counted for."""
        places = [
            place
            for place, decision in enumerate(decisions)
            if not decision.original_tokens and texts[place].text
        ]
        if not places:
            return None

        def count() -> dict[int, Decision]:
            counter = tokenizer(order.encoding)
            return {place: counted(texts[place].text, decisions[place], counter) for place in places}

        async def note() -> list[Decision]:
            found = await asyncio.get_running_loop().run_in_executor(self._counter, count)
            for place, decision in found.items():
                self._memory.keep(keys[place], decision)
            return [found.get(place, decision) for place, decision in enumerate(decisions)]

        return asyncio.create_task(note())
