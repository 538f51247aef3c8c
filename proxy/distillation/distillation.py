"""Has chunks shortened, several at a time. Owns retries and when to stop; knows no files and no labels."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from proxy.distillation.cost import Tariff, Usage
from proxy.distillation.faults import fault
from proxy.distillation.pace import Pace
from proxy.distillation.upstream import CallError, Reply, Upstream

_MOST_FAILED = 10
"""Calls in a row, each with all its retries, after which something else must be wrong."""
_FIRST_WAIT_S = 1.0
_LONGEST_BACKOFF_S = 60.0
_LONGEST_WAIT_S = 600.0
"""That an upstream may ask for; a quota of a day isn't waited for."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A text to shorten."""

    text: str
    source: str
    document: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a chunk that was answered."""

    chunk: Chunk
    compressed: str
    fault: str | None
    """Why the answer is no shortened text; None for a good one."""


@dataclass(slots=True)
class Summary:
    """What a run has done so far."""

    good: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """Calls without an answer, by what they failed with."""
    usage: Usage = field(default_factory=Usage)
    stopped: str | None = None
    """Why it ended early."""
    gave_up: bool = False
    """Whether that was because calls fail."""


class Distillation:
    """One run over chunks."""

    def __init__(
        self,
        upstream: Upstream,
        message: Callable[[str], str],
        write: Callable[[Result], None],
        *,
        pace: Pace,
        tariff: Tariff | None = None,
        max_usd: float | None = None,
        overhead_tokens: int = 0,
        concurrency: int = 8,
        retries: int = 5,
    ) -> None:
        """`message` is what is sent for a text, with `overhead_tokens` beside it; `write` takes each result.

        `max_usd` needs a `tariff`. It is compared with what the upstream counted, and with what calls under way will
        cost if they leave nothing out.
        """
        self.summary = Summary()
        self._upstream = upstream
        self._message = message
        self._write = write
        self._pace = pace
        self._tariff = tariff
        self._max_usd = max_usd
        self._overhead_tokens = overhead_tokens
        self._concurrency = concurrency
        self._retries = retries
        self._under_way_usd = 0.0
        self._failed_in_a_row = 0

    async def run(self, chunks: Iterable[Chunk], advance: Callable[[], None] = lambda: None) -> None:
        """Go through `chunks`, calling `advance` for each; ends early when money is spent or nothing works.

        `summary` says so then. Raises what `write` raises.
        """
        rest = iter(chunks)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._concurrency):
                    group.create_task(self._work(rest, advance))
        except ExceptionGroup as group:  # a result couldn't be written
            raise group.exceptions[0] from None
        finally:
            await self._upstream.close()

    @property
    def model(self) -> str:
        """Who shortens."""
        return self._upstream.model

    def usd(self, usage: Usage) -> float | None:
        """What calls cost; None where no price is known."""
        return None if self._tariff is None else self._tariff.usd(usage)

    def expected(self, chunk: Chunk) -> Usage:
        """The most that a call may use, reasoning and retries left out."""
        return Usage(self._overhead_tokens + chunk.tokens, 0, chunk.tokens)

    async def _work(self, rest: Iterator[Chunk], advance: Callable[[], None]) -> None:
        for chunk in rest:
            if self.summary.stopped is None and self._is_too_dear(chunk):
                self.summary.stopped = f"the next call might exceed {self._max_usd:g} USD"
            if self.summary.stopped is not None:
                return
            await self._shorten(chunk)
            advance()

    def _is_too_dear(self, chunk: Chunk) -> bool:
        if self._tariff is None or self._max_usd is None:
            return False
        next_usd = self._tariff.usd(self.expected(chunk))
        return self._tariff.usd(self.summary.usage) + self._under_way_usd + next_usd > self._max_usd

    async def _shorten(self, chunk: Chunk) -> None:
        expected = self.expected(chunk)
        expected_usd = self.usd(expected) or 0.0
        self._under_way_usd += expected_usd
        try:
            reply = await self._patiently(chunk)
        except CallError as error:
            self._note_failure(error)
            return
        finally:
            self._under_way_usd -= expected_usd
        self._failed_in_a_row = 0
        self.summary.usage += reply.usage or expected
        found = fault(chunk.text, reply)
        if found is None:
            self.summary.good += 1
        else:
            self.summary.faults[found] += 1
        self._write(Result(chunk, reply.text.strip(), found))

    async def _patiently(self, chunk: Chunk) -> Reply:  # type: ignore[return]  # count() never ends
        """The reply, after retries if need be; raises the last `CallError`."""
        message, tokens = self._message(chunk.text), self._overhead_tokens + 2 * chunk.tokens
        for attempt in count():
            await self._pace.turn(tokens)
            try:
                return await self._upstream.ask(message)
            except CallError as error:
                wait_s = max(_backoff_s(attempt), error.retry_after_s or 0.0)
                stops = attempt == self._retries or self.summary.stopped is not None
                if stops or not error.passing or wait_s > _LONGEST_WAIT_S:
                    raise
                if error.retry_after_s is None:
                    await asyncio.sleep(wait_s)
                else:
                    self._pace.hold(wait_s)  # it holds for all calls

    def _note_failure(self, error: CallError) -> None:
        self.summary.failures[str(error)] += 1
        self._failed_in_a_row += 1
        if error.hopeless or self._failed_in_a_row >= _MOST_FAILED:
            failed = (
                "the upstream refuses all calls"
                if error.hopeless
                else f"{_MOST_FAILED} calls in a row failed"
            )
            self.summary.stopped = f"{failed}: {error}"
            self.summary.gave_up = True


def _backoff_s(attempt: int) -> float:
    """Doubles with each attempt; random, so that calls don't come back all at once."""
    return min(_FIRST_WAIT_S * 2.0**attempt, _LONGEST_BACKOFF_S) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
