"""One model on one thread, fed with batches of many callers' jobs.

Owns the queue and the thread. Knows no HTTP and no method; results come back as asyncio futures.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compressors.base import Compressed, Compressor, Job
from compressors.engines.engine import (
    NotReadyError,
    QueueFullError,
    Shortened,
    Speed,
    Timings,
    estimated_tokens,
)
from compressors.errors import CompressionError

_log = logging.getLogger("laconic.batcher")
_POLL_S = 0.02
_WARM_UP_WORDS = (8, 60, 300, 900)


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: Job
    tokens: int
    since: float
    future: asyncio.Future[Shortened]


class Batcher:
    """Loads a compressor on a thread of its own and runs it on batches of up to `batch_tokens`.

    A batch starts as soon as the model is free, with the oldest jobs first; jobs whose caller is gone are left
    out. `max_queue_tokens` bounds what waits. Token counts here are estimates from the length of the text.
    """

    def __init__(self, load: Callable[[], Compressor], *, batch_tokens: int, max_queue_tokens: int) -> None:
        self._load = load
        self._batch_tokens = batch_tokens
        self._max_queue_tokens = max_queue_tokens
        self._waiting: deque[_Waiting] = deque()
        self._queued_tokens = 0
        self._change = threading.Condition()
        self._closed = False
        self._compressor: Compressor | None = None
        self._loaded = threading.Event()
        self.load_error: Exception | None = None
        """Why the model could not be loaded."""
        self.speed = Speed()
        self._thread = threading.Thread(target=self._run, name="laconic-model", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded and warm."""
        return self._compressor is not None and not self._closed

    async def loaded(self) -> None:
        """Wait until loading has ended, well or not."""
        while not self._loaded.is_set():  # noqa: ASYNC110 (a thread that waits could not be cancelled at shutdown)
            await asyncio.sleep(_POLL_S)

    def expected_s(self, characters: int) -> float:
        """Seconds that a text of so many characters is likely to need, behind those that wait already."""
        return self.speed.expected_s(self._queued_tokens + estimated_tokens(characters))

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Queue a job; to be called on the event loop. Cancelling the future takes the job out.

        Raises `QueueFullError` or `NotReadyError` at once; the future fails with what the compressor raises.
        """
        if not self.is_ready:
            raise NotReadyError("the model is not loaded")
        tokens = estimated_tokens(len(job.text))
        future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
        with self._change:
            if self._queued_tokens + tokens > self._max_queue_tokens:
                self._forget_cancelled()
            if self._queued_tokens + tokens > self._max_queue_tokens:
                raise QueueFullError(
                    f"{self._queued_tokens} tokens wait for the model; allowed: {self._max_queue_tokens}"
                )
            self._queued_tokens += tokens
            self._waiting.append(_Waiting(job, tokens, time.monotonic(), future))
            self._change.notify()
        return future

    def _forget_cancelled(self) -> None:
        self._waiting = deque(item for item in self._waiting if not item.future.cancelled())
        self._queued_tokens = sum(item.tokens for item in self._waiting)

    def close(self) -> None:
        """Take no more jobs; those that wait are still done, then the thread ends."""
        with self._change:
            self._closed = True
            self._change.notify()

    async def ended(self, timeout_s: float) -> None:
        """Wait for the thread, at most so long, after `close`: torch doesn't bear an exit in the middle of its work."""
        until = time.monotonic() + timeout_s
        while self._thread.is_alive() and time.monotonic() < until:  # noqa: ASYNC110 (as in `loaded`)
            await asyncio.sleep(_POLL_S)

    def _run(self) -> None:
        try:
            compressor = self._load()
            jobs = [Job(text="word " * words, tokenizer=None) for words in _WARM_UP_WORDS]
            compressor.compress(jobs)
            self._measured(compressor, jobs)
            self._compressor = compressor
        except Exception as error:
            self.load_error = error
            _log.error("model could not be loaded: %s", error)
            return
        finally:
            self._loaded.set()
        while batch := self._next_batch():
            self._answer(compressor, batch)

    def _next_batch(self) -> list[_Waiting]:
        """The oldest jobs up to the token budget; empty when closed and done."""
        batch: list[_Waiting] = []
        tokens = 0
        with self._change:
            while not batch:
                while self._waiting and (not batch or tokens + self._waiting[0].tokens <= self._batch_tokens):
                    item = self._waiting.popleft()
                    self._queued_tokens -= item.tokens
                    if not item.future.cancelled():
                        batch.append(item)
                        tokens += item.tokens
                if not batch:
                    if self._closed:
                        break
                    self._change.wait()
        return batch

    def _measured(self, compressor: Compressor, jobs: Sequence[Job]) -> list[Compressed]:
        started = time.monotonic()
        results = compressor.compress(jobs)
        self.speed.add(sum(estimated_tokens(len(job.text)) for job in jobs), time.monotonic() - started)
        return results

    def _answer(self, compressor: Compressor, batch: Sequence[_Waiting]) -> None:
        started = time.monotonic()
        try:
            results = self._measured(compressor, [item.job for item in batch])
        except BaseException as error:  # libraries in Rust panic with more than an Exception
            if len(batch) > 1:  # one bad job must not cost its neighbours
                for item in batch:
                    self._answer(compressor, [item])
            else:
                _deliver(batch[0].future, CompressionError(f"the compressor raised {type(error).__name__}"))
            return
        for item, result in zip(batch, results, strict=True):
            _deliver(item.future, Shortened(result, Timings(queue_s=started - item.since)))


def _deliver(future: asyncio.Future[Shortened], outcome: Shortened | Exception) -> None:
    """Resolve a future of another thread's event loop, unless its caller or its loop is gone."""

    def resolve() -> None:
        if future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    try:
        future.get_loop().call_soon_threadsafe(resolve)
    except RuntimeError:
        _log.debug("event loop closed before a result came")
