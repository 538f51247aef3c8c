"""What every engine offers: jobs in, futures out, and how long a text is likely to take.

Knows no threads, no sockets and no models.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Protocol

from compressors.base import Compressed, Job
from compressors.errors import CompressionError

_MEMORY_TOKENS = 50_000  # after so many, a measured speed weighs a third


class QueueFullError(CompressionError):
    """More tokens wait for the model than allowed."""


class NotReadyError(CompressionError):
    """The model is still loading, could not be loaded, was put away, or is out of reach."""


@dataclass(slots=True)
class Timings:
    """Where a job's time went, in seconds."""

    queue_s: float = 0.0
    """All else: the model was busy with others, in the same batches too."""
    tokenize_s: float = 0.0
    """Up to what the model reads: tokens, words, the budget."""
    forward_s: float = 0.0
    """The job's share of the model's batches."""
    select_s: float = 0.0
    """From what the model says to what it is asked next, and to the spans that stay."""

    def stages(self) -> Iterator[tuple[str, float]]:
        """Each stage's name and seconds."""
        for field in fields(self):
            yield field.name.removesuffix("_s"), getattr(self, field.name)


@dataclass(frozen=True, slots=True)
class Shortened:
    """A job's result with the time it took."""

    result: Compressed
    timings: Timings


@dataclass(slots=True)
class BatchStatistics:
    """What a model's batches came to so far."""

    count: int = 0
    tokens: int = 0
    """Of all units."""
    budget_tokens: int = 0
    """What would have fit."""
    seconds: float = 0.0

    def add(self, tokens: int, budget_tokens: int, seconds: float) -> None:
        """Take in one batch."""
        self.count += 1
        self.tokens += tokens
        self.budget_tokens += budget_tokens
        self.seconds += seconds


class Speed:
    """How fast a compressor is: a mean over what it has done, in which older work counts less and less."""

    def __init__(self) -> None:
        self._done = (0.0, 0.0)  # tokens and seconds: one object, so that no thread sees half of a change

    def add(self, tokens: int, seconds: float) -> None:
        """Take in some work."""
        left = math.exp(-tokens / _MEMORY_TOKENS)
        before = self._done
        self._done = (before[0] * left + tokens, before[1] * left + seconds)

    def replace(self, seconds_per_token: float) -> None:
        """Forget what was done; another process knows better."""
        self._done = (1.0, seconds_per_token)

    @property
    def seconds_per_token(self) -> float:
        """0 before anything was done."""
        tokens, seconds = self._done
        return seconds / tokens if tokens else 0.0

    def expected_s(self, tokens: int) -> float:
        """Seconds for so many tokens."""
        return tokens * self.seconds_per_token


class Engine(Protocol):
    """One compressor at work for many callers; all but `Speed.add` is called on the event loop."""

    @property
    def speed(self) -> Speed:
        """How fast it is."""

    @property
    def load_error(self) -> Exception | None:
        """Why the model could not be loaded, or does nothing any more."""

    @property
    def is_broken(self) -> bool:
        """Whether a device does nothing any more until the process ends."""

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded and warm, and can be reached."""

    @property
    def on_gpu(self) -> bool:
        """Whether a loaded model runs on more than a processor."""

    async def loaded(self) -> None:
        """Wait until loading has ended, well or not."""

    def expected_s(self, characters: int) -> float:
        """Seconds that a text of so many characters is likely to need, behind those that wait already."""

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Queue a job; cancelling the future takes it out, and what is not yet done of it is not done.

        Raises `QueueFullError` or `NotReadyError` at once; the future fails with a `CompressionError`.
        """

    def close(self) -> None:
        """Take no more jobs; those that wait are still done."""

    async def ended(self, timeout_s: float) -> None:
        """Wait for the last job's end after `close`, at most so long."""


def estimated_tokens(characters: int) -> int:
    """Tokens of a text of so many characters, by a guess that needs no tokenizer."""
    return characters // 3 + 1


def resolve(future: asyncio.Future[Shortened], outcome: Shortened | Exception) -> None:
    """Give a future, on its event loop, what became of its job, unless it has been given up."""
    if future.done():
        return
    if isinstance(outcome, Shortened):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
