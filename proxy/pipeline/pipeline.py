"""A request's way to its decisions: remembered ones first, then those in flight, then the model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from compressors.engines import give_way
from policies.groups import Text
from policies.skip import Skip
from policies.tokens import tokenizer
from proxy.pipeline.counting import Counting
from proxy.pipeline.course import cluster_of, conversation_of, sent_as_it_came
from proxy.pipeline.flights import Flights
from proxy.pipeline.history import History
from proxy.pipeline.order import Order
from proxy.pipeline.recall import Recall
from proxy.pipeline.request import Request
from proxy.pipeline.verdicts import counted
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
    """Which random group of conversations this one belongs to."""
    counting: Counting | None = None
    """Counts what no decision needed to be counted for."""
    conversation: tuple[bytes, Conversation] | None = None
    """What is to be remembered once it is clear that the request is sent."""

    @property
    def failure(self) -> Skip | None:
        """Why a text of the request was not shortened although it should have been; None if none was."""
        reasons = (decision.skip for decision in self.decisions)
        return next((reason for reason in reasons if reason is not None and reason.is_failure), None)

    async def counted(self) -> list[Decision]:
        """The decisions, all counted."""
        return self.decisions if self.counting is None else await self.counting.done()


class Pipeline:
    """Decides about texts, once for each, and keeps what a conversation has sent as it was sent."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._flights = Flights()
        self._work = Work(memory)
        # Of its own, so that no plan waits behind a count that nobody waits for.
        self._counter = ThreadPoolExecutor(1, "laconic-count", initializer=give_way)

    async def decide(
        self, texts: Sequence[Text], order: Order, *, around_characters: int = 0, rehearsal: bool = False
    ) -> Decided:
        """A decision for each text; what isn't ready at the policy's deadline is left as it is.

        `around_characters` is the length of what else the request holds. A `rehearsal` decides as if the
        conversation had passed here from its first message on.
        """
        if not texts:
            return Decided([])
        history, recall = History(texts, order.scope), Recall(self._memory)
        conversation, keys = await self._look_up(history, recall, order, rehearsal=rehearsal)
        left = sent_as_it_came(conversation, history)
        keys |= {place: (history.key_as_it_came(place, order.plain),) for place in left}
        await recall.ask(key for candidates in keys.values() for key in candidates)
        request = Request(history, conversation, keys, order, left, around_characters)
        found = request.remembered(recall)
        found |= request.without_model(place for place in keys if place not in found)
        fresh = {place: keys[place][-1] for place in keys if place not in found}
        made = await self._made(fresh, request)
        found |= {place: made[key] for place, key in fresh.items()}
        decisions = request.long_enough([found[place] for place in range(len(texts))])
        decided = Decided(decisions, conversation.held_out, cluster_of(history))
        decided.counting = self._counting(request, decisions)
        if not rehearsal:
            sent = request.as_sent(decisions)
            here = history.turns[history.last]
            decided.conversation = (here, sent) if recall.conversation(here) != sent else None
        return decided

    async def remember(self, decided: Decided) -> None:
        """Remember the conversation as it stands once the request is sent."""
        if decided.conversation is not None:
            await self._memory.put(*decided.conversation)

    async def _look_up(
        self, history: History, recall: Recall, order: Order, *, rehearsal: bool
    ) -> tuple[Conversation, dict[int, tuple[bytes, ...]]]:
        """The conversation, and the keys of all texts under its terms."""
        places = range(len(history.texts))
        keys = history.keys(order.terms, places)  # as most conversations know no other terms
        turns = () if rehearsal else (*list(history.turns.values())[-2:], *history.halfway)
        await recall.ask((*turns, *(key for candidates in keys.values() for key in candidates)))
        if rehearsal:
            return begun(order.terms), keys
        conversation = await conversation_of(history, recall, order)
        for era in conversation.eras:
            if era.terms != order.terms:
                own = [place for place in places if conversation.era(history.texts[place].group) == era]
                keys |= history.keys(era.terms, own)
        return conversation, keys

    async def _made(self, fresh: Mapping[int, bytes], request: Request) -> dict[bytes, Decision]:
        """Decisions about `fresh` places, ours or those that another request is waiting for already."""
        if not fresh:
            return {}
        texts, order = request.history.texts, request.order
        ours = {key: texts[place] for place, key in fresh.items() if key not in self._flights}
        if ours and order.terms.by_group:  # what is decided together is decided from the same texts again
            groups = {text.group for text in ours.values()}
            keys = request.history.keys(
                order.terms, range(len(texts))
            )  # also of texts that went as they came
            for place, text in enumerate(texts):
                if text.group in groups and (place in fresh or at_a_glance(text, order) is None):
                    ours[keys[place][-1]] = text
        if ours:
            self._flights.take_off(self._work.decide(ours, texts, order), ours)
        return await self._flights.land(fresh.values())

    def _counting(self, request: Request, decisions: Sequence[Decision]) -> Counting | None:
        """Count in the background what no decision needed to be counted for."""
        texts, encoding = request.history.texts, request.order.encoding
        uncounted = {
            place: decision
            for place, decision in enumerate(decisions)
            if not decision.original_tokens and texts[place].text
        }
        if not uncounted:
            return None

        def count() -> dict[int, Decision]:
            counter = tokenizer(encoding)
            return {place: counted(texts[place].text, d, counter) for place, d in uncounted.items()}

        async def note() -> list[Decision]:
            found = await asyncio.get_running_loop().run_in_executor(self._counter, count)
            for place, decision in found.items():
                self._memory.keep(request.key_of(place, decision), decision)
            return [found.get(place, decision) for place, decision in enumerate(decisions)]

        return Counting(note)
