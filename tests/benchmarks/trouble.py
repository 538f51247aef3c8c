"""What can befall a conversation on its way through laconic, and a compressor that lets it happen.

Knows neither requests nor policies.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compressors import Compressed, CompressionError, Compressor, Job, Span, render
from compressors.engines import Batcher, NotReadyError, QueueFullError, Shortened

RATES = (1.0, 0.9, 0.7)
"""By which a policy that is loaded again multiplies its own."""
REPLICAS = 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens before a turn, and while it lasts. Shares are of the calls to the compressor, in [0, 1]."""

    replica: int = 0
    """Which one serves the turn."""
    rates: float = 1.0
    """The policy is loaded with its own rates times this."""
    forgets: bool = False
    """All replicas lose what they hold in memory."""
    restarts: bool = False
    """The replica that serves the turn ends, and another takes its place."""
    store_lost: bool = False
    """The durable store is emptied."""
    is_hurried: bool = False
    """The deadline is over before anything is planned."""
    failing: float = 0.0
    late: float = 0.0
    turned_away: float = 0.0
    """Share of the texts for which there seems to be no time."""


Script = Callable[[random.Random, int], list[Trouble]]
"""The troubles of a conversation of so many turns, one for each."""


def _always(trouble: Trouble) -> Script:
    return lambda _, turns: [trouble] * turns


def _in_turn(_: random.Random, turns: int) -> list[Trouble]:
    return [Trouble(replica=turn % REPLICAS) for turn in range(turns)]


def _late(chance: random.Random, turns: int) -> list[Trouble]:
    return [Trouble(late=0.2, is_hurried=chance.random() < 0.1) for _ in range(turns)]


def _reloaded(chance: random.Random, turns: int) -> list[Trouble]:
    return [Trouble(rates=chance.choice(RATES)) for _ in range(turns)]


def _everything(chance: random.Random, turns: int) -> list[Trouble]:
    return [
        Trouble(
            replica=chance.randrange(REPLICAS),
            rates=chance.choice(RATES),
            forgets=chance.random() < 0.2,
            restarts=chance.random() < 0.3,
            is_hurried=chance.random() < 0.1,
            failing=0.2,
            late=0.2,
            turned_away=0.2,
        )
        for _ in range(turns)
    ]


def _lost(script: Script, **more: bool) -> Script:
    """As `script`, but the store is emptied once, before any turn but the first."""

    def losing(chance: random.Random, turns: int) -> list[Trouble]:
        troubles = script(chance, turns)
        for place in chance.sample(range(1, turns), min(1, turns - 1)):
            troubles[place] = replace(troubles[place], store_lost=True, **more)
        return troubles

    return losing


SCENARIOS: dict[str, Script] = {
    "plain": _always(Trouble()),
    "memory emptied": _always(Trouble(forgets=True)),
    "worker restarted": _always(Trouble(restarts=True)),
    "two replicas": _in_turn,
    "compressor fails": _always(Trouble(failing=0.2)),
    "deadlines missed": _late,
    "gate turns away": _always(Trouble(turned_away=0.3)),
    "policy reloaded": _reloaded,
    "everything": _everything,
    "store lost": _lost(_always(Trouble()), forgets=True),
    "store lost, memory kept": _lost(_in_turn),
    "everything, store lost": _lost(_everything, forgets=True),
}


def most_breaks(troubles: Sequence[Trouble]) -> int:
    """How many prefixes of a conversation may break: one for each time that the store is lost."""
    return sum(trouble.store_lost for trouble in troubles)


class Troubled(Batcher):
    """A batcher that fails, is late and seems busy at random, as `trouble` says."""

    def __init__(self, load: Callable[[], Compressor], seed: int) -> None:
        super().__init__(load, max_queue_tokens=400_000)
        self.trouble = Trouble()
        self._chance = random.Random(seed)

    def expected_s(self, characters: int) -> float:
        """Forever, where the text is to be turned away."""
        away = self._chance.random() < self.trouble.turned_away
        return math.inf if away else super().expected_s(characters)

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Queue a job, unless something comes between."""
        if self._chance.random() < self.trouble.failing:
            return self._fail()
        future = super().submit(job)
        if self._chance.random() < self.trouble.late:
            future.cancel()  # as the deadline would, but nobody has to wait for it
        return future

    def _fail(self) -> asyncio.Future[Shortened]:
        error = self._chance.choice((CompressionError, QueueFullError, NotReadyError))("by chance")
        if not isinstance(error, QueueFullError | NotReadyError):
            future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
            future.set_exception(error)
            return future
        raise error


class AnyWords:
    """A compressor without a model: which words stay looks random, and depends on all that a job says."""

    fingerprint = "any-words"

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text."""
        return [_any_words(job) for job in jobs]


def _any_words(job: Job) -> Compressed:
    chance = random.Random(
        zlib.crc32(f"{job.question}|{job.rate}|{job.text}".encode("utf-8", "surrogatepass"))
    )
    keep = bytearray(len(job.text))
    words = [match.span() for match in re.finditer(r"\S+\s*", job.text)]
    kept = [span for span in words if chance.random() < job.rate]
    for start, end in (*kept, *job.verbatim, *job.forced, *job.heads):
        keep[start:end] = b"\1" * (end - start)
    spans: list[Span] = [match.span() for match in re.finditer(rb"\x01+", bytes(keep))]
    return Compressed(
        spans=tuple(spans),
        text=render(job.text, spans),
        original_tokens=len(words),
        compressed_tokens=len(kept),
    )
