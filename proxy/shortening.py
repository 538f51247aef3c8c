"""What a policy makes of the texts of one request.

Knows bodies and decisions; knows neither sockets nor the way to the upstream.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from policies.groups import Text, arrival_groups
from policies.routes import Choice
from policies.segments import stripped
from policies.skip import Skip
from proxy.credentials import caller_hash, short_hash
from proxy.dialects.chat import ChatBody
from proxy.errors import UncompressedError
from proxy.gateway import Gateway
from proxy.metrics import STAGE_SECONDS
from proxy.pipeline import Decided
from proxy.record import Record
from proxy.recovery import Recovering, prepare

_log = logging.getLogger("laconic.shortening")
_FEW_CHARACTERS = 2_000  # are counted in less than half a millisecond


class Shortening:
    """Decides about a request's texts, and records what was decided."""

    def __init__(
        self, gateway: Gateway, choice: Choice, texts: ChatBody, headers: Mapping[str, str], record: Record
    ) -> None:
        self._gateway = gateway
        self._choice = choice
        self._texts = texts
        self._headers = headers
        self._record = record
        self._decided: Decided | None = None
        self._is_new: list[bool] = []
        self._remembering: asyncio.Task[None] | None = None

    async def texts(self) -> dict[int, str]:
        """The texts that change, by their number; raises `UncompressedError` where the policy refuses a failure."""
        decided = await self._decide()
        if decided is None:
            if self._choice.policy is not None and self._choice.policy.on_failure == "reject":
                raise UncompressedError("the texts could not be shortened")
            return without_tags(self._texts) if self._choice.route.tags else {}
        await self._refuse(decided)
        self._remembering = asyncio.create_task(self._gateway.pipeline.remember(decided))
        return self._rendered(decided)

    def _rendered(self, decided: Decided) -> dict[int, str]:
        started = time.perf_counter()
        rendered = {
            number: decision.render(slot.text)
            for number, (slot, decision) in enumerate(zip(self._texts.slots, decided.decisions, strict=True))
            if decision.spans is not None
        }
        if rendered and self._choice.policy is not None:
            compressor = self._choice.policy.compressor
            STAGE_SECONDS.labels(compressor, "render").observe(time.perf_counter() - started)
        return rendered

    async def rehearse(self) -> None:
        """Decide and record, while the original is on its way."""
        decided = await self._decide(rehearsal=True)
        if decided is not None:
            await self.count()
            self._record.rehearsed(decided.decisions)

    def recovering(self) -> Recovering | None:
        """What an answer gets back of what was dropped here; None if that is nothing, or not wanted."""
        policy = self._choice.policy
        if policy is None or not policy.recover or not self._texts.wants_text or self._decided is None:
            return None
        pairs = zip(self._texts.slots, self._decided.decisions, strict=True)
        told = [(slot.text, decision) for slot, decision in pairs if slot is not self._texts.tools]
        return prepare([text for text, _ in told], [decision for _, decision in told])

    async def settle(self) -> None:
        """Before the answer goes out: see the conversation remembered, and what takes no time to speak of counted."""
        if self._remembering is not None:
            await self._remembering
        if self._decided is None or self._decided.counting is None:
            return
        pairs = zip(self._texts.slots, self._decided.decisions, strict=True)
        waiting = sum(len(slot.text) for slot, decision in pairs if not decision.original_tokens)
        if waiting < _FEW_CHARACTERS or self._decided.counting.is_done:
            await self.count()

    async def count(self) -> None:
        """Record the tokens of texts that nobody had to count before."""
        if self._decided is not None and self._decided.counting is not None:
            self._record.count(await self._decided.counted(), self._is_new)
            self._decided.counting = None

    async def _decide(self, *, rehearsal: bool = False) -> Decided | None:
        """A decision for each text, None if something unforeseen happens; and the record of it."""
        record, gateway, texts = self._record, self._gateway, self._texts
        started = time.perf_counter()
        try:
            order = gateway.order(self._choice, texts.model, self._headers)
            groups = arrival_groups(texts.roles)
            self._is_new = [groups[slot.message] == groups[-1] for slot in texts.slots]
            self._decided = await gateway.pipeline.decide(
                [
                    Text(slot.role, slot.text, groups[slot.message], number < texts.marked)
                    for number, slot in enumerate(texts.slots)
                ],
                order,
                around_characters=texts.around_characters,
                rehearsal=rehearsal,
            )
        except Exception as error:
            _log.exception("the pipeline failed")
            record.failure = f"pipeline_{type(error).__name__}"
            record.skip(Skip.FAILED, len(texts.slots))
        record.compress_s = time.perf_counter() - started
        record.model, record.texts = texts.model, len(texts.slots)
        record.key = short_hash(caller_hash(self._headers))
        if self._choice.policy is not None:
            record.compressor = gateway.config.compressors[self._choice.policy.compressor].method
        if self._decided is not None:
            record.decided(self._decided, self._is_new)
        return self._decided

    async def _refuse(self, decided: Decided) -> None:
        """Refuse the request if a text failed and the policy says so."""
        failure, rule = decided.failure, self._choice.policy.on_failure if self._choice.policy else "forward"
        if failure is None or rule == "forward":
            return
        if rule == "reject":
            raise UncompressedError(f"a text could not be shortened: {failure}")
        facts = self._gateway.models.facts(self._texts.model)
        if facts is not None and facts.context_tokens is not None:
            needed = await self._tokens_to_send()
            if needed > facts.context_tokens:
                raise UncompressedError(
                    f"a text could not be shortened ({failure}), and as it is, the request's {needed} tokens "
                    f"don't fit the model's {facts.context_tokens}"
                )

    async def _tokens_to_send(self) -> int:
        """The texts' tokens, and about as many for the rest of the body as its characters suggest."""
        assert self._decided is not None
        texts = sum(decision.sent_tokens for decision in await self._decided.counted())
        return texts + self._texts.around_characters // 4


def without_tags(texts: ChatBody) -> dict[int, str]:
    """The texts that hold markup, without it: what a route that honours tags sends at the least."""
    plain = {n: stripped(slot.text) for n, slot in enumerate(texts.slots) if slot is not texts.tools}
    return {number: text for number, text in plain.items() if text != texts.slots[number].text}
