"""One model, fed with batches of many callers' jobs on its device's thread.

Owns the queue and the threads beside the device's: one that fills batches, a few for all that comes before and after
the model. Knows no HTTP and no method; results come back as asyncio futures.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from compressors.base import Compressed, Compressor, Job
from compressors.engines.device_thread import DeviceThread, device_thread, on_passing_thread
from compressors.engines.engine import (
    BatchStatistics,
    NotReadyError,
    QueueFullError,
    Shortened,
    Speed,
    Timings,
    estimated_tokens,
    resolve,
)
from compressors.engines.priority import give_way
from compressors.engines.schedule import Batch, Schedule, Task
from compressors.engines.undivided import divisible
from compressors.errors import CompressionError, ModelError
from compressors.passes import Divisible, Passes

_log = logging.getLogger("laconic.batcher")
_POLL_S = 0.02
_WARM_UP_WORDS = (8, 60, 300, 900)
_WARM_UP_QUESTION = Job(text="word word\n\nword word", contexts=((0, 9), (11, 20)), question="word?")
"""Loads what ranks documents, so that the first request needn't wait for it."""
_MOST_HELPERS = 4
_LONG_TOKENS = 32_768
"""A text of more is prepared on a thread of its own, so that shorter ones needn't wait for it."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A job on its way."""

    number: int
    job: Job
    tokens: int
    since: float
    future: asyncio.Future[Shortened]
    timings: Timings = field(default_factory=Timings)
    passes: Passes | None = None
    task: Task | None = None
    """What the model has to do for it now."""


class Batcher:
    """Loads a compressor and runs it on batches of units of many jobs.

    A batch starts as soon as the model is free; `Schedule` says what is in it. What is left of a job whose caller is
    gone is left out. `max_queue_tokens` bounds what waits, by estimates from the length of the texts.
    """

    def __init__(self, load: Callable[[], Compressor], *, max_queue_tokens: int) -> None:
        self._load = load
        self._max_queue_tokens = max_queue_tokens
        self._numbers = count()
        self._jobs: dict[int, _Waiting] = {}
        """All that are neither answered nor given up."""
        self._queued_tokens = 0
        self._schedule = Schedule()
        self._change = threading.Condition()
        self._closed = False
        self._compressor: Divisible | None = None
        self._loaded = threading.Event()
        few = max(1, min(_MOST_HELPERS, (os.cpu_count() or 1) // 2))
        self._helpers = ThreadPoolExecutor(few, "laconic-words", initializer=give_way)
        self._helper_for_long = ThreadPoolExecutor(1, "laconic-long", initializer=give_way)
        self.thread: DeviceThread
        """Its device's; there once the model is loaded."""
        self.load_error: Exception | None = None
        """Why the model could not be loaded, or does nothing any more."""
        self.is_broken = False
        """Whether the device does nothing any more until the process ends."""
        self.speed = Speed()
        self.batches = BatchStatistics()
        self._thread = threading.Thread(target=self._run, name="laconic-batches", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded and warm."""
        return self._compressor is not None and not self._closed and not self.is_broken

    @property
    def on_gpu(self) -> bool:
        """Whether the model is loaded on more than a processor."""
        return self._compressor is not None and not self._compressor.device.startswith("cpu")

    @property
    def queued_tokens(self) -> int:
        """What waits or is under way, by estimates."""
        return self._queued_tokens

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
            raise NotReadyError(str(self.load_error or "the model is not loaded"))
        tokens = estimated_tokens(len(job.text))
        future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
        with self._change:
            if self._queued_tokens + tokens > self._max_queue_tokens:
                raise QueueFullError(
                    f"{self._queued_tokens} tokens wait for the model; allowed: {self._max_queue_tokens}"
                )
            item = _Waiting(next(self._numbers), job, tokens, time.monotonic(), future)
            self._jobs[item.number] = item
            self._queued_tokens += tokens
        future.add_done_callback(lambda _: self._release(item))
        self._go_on(item)
        return future

    def _release(self, item: _Waiting) -> None:
        """The job is answered or given up: it takes no more room."""
        with self._change:
            if self._jobs.pop(item.number, None) is None:
                return
            self._queued_tokens -= item.tokens
            if item.task is not None:
                item.task.give_up()
            self._change.notify()

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
        give_way()
        try:
            compressor = divisible(on_passing_thread(self._load))
            self.thread = device_thread(compressor.device)
            self.thread.run(partial(self._warm_up, compressor))
            self._compressor = compressor
        except Exception as error:
            self.load_error = error
            _log.error("model could not be loaded: %s", error)
            return
        finally:
            self._loaded.set()
        while self._serve(compressor):
            pass
        for helpers in (self._helpers, self._helper_for_long):
            helpers.shutdown(wait=False)

    def _warm_up(self, compressor: Compressor) -> None:
        jobs = [Job(text="word " * words, tokenizer=None) for words in _WARM_UP_WORDS]
        compressor.compress([*jobs, _WARM_UP_QUESTION])
        started = time.monotonic()
        compressor.compress(jobs)
        self.speed.add(sum(estimated_tokens(len(job.text)) for job in jobs), time.monotonic() - started)

    def _serve(self, compressor: Divisible) -> bool:
        """Run one batch; False when closed and done. What goes wrong, callers hear of, and the thread lives on."""
        try:
            batch = self._next_batch(compressor.batch_tokens)
            if batch:
                self._forward(compressor, batch)
        except Exception as error:
            _log.error("a batch could not be run: %s", type(error).__name__)
            with self._change:
                self._schedule = Schedule()
                waiting = list(self._jobs.values())
            for item in waiting:
                self._deliver(item, _failure(error))
            return True
        return bool(batch)

    def _next_batch(self, budget_tokens: int) -> Batch:
        """The next units; empty when closed and done."""
        with self._change:
            while True:
                if batch := self._schedule.batch(budget_tokens):
                    return batch
                if self._closed and not self._jobs:
                    return []
                self._change.wait()

    def _forward(self, compressor: Divisible, batch: Batch) -> None:
        """Run a batch and hand on the jobs that have all of what they asked for."""
        units = [task.units[place] for task, place in batch]
        tokens = [len(unit) for unit in units]
        failure: CompressionError | None = None
        try:
            outcomes, seconds = self.thread.run(partial(_timed, compressor, units))
        except BaseException as error:  # libraries in Rust panic with more than an Exception
            failure = _failure(error)
        if failure is not None:  # outside of the handler, so that the failed pass's memory is free by now
            self._try_again(compressor, batch, failure)
            return
        self.batches.add(sum(tokens), compressor.batch_tokens, seconds)
        for (task, place), outcome, size in zip(batch, outcomes, tokens, strict=True):
            task.outcomes[place] = outcome
            task.done += 1
            item = self._jobs.get(task.number)
            if item is not None:
                item.timings.forward_s += seconds * size / max(sum(tokens), 1)
                if task.is_done:
                    self._go_on(item)

    def _try_again(self, compressor: Divisible, batch: Batch, failure: CompressionError) -> None:
        """Run each job's units of a failed batch alone, for one bad job must not cost its neighbours."""
        tasks = list({id(task): task for task, _ in batch}.values())
        if len(tasks) > 1:
            for task in tasks:
                if not self.is_broken:
                    self._forward(compressor, [entry for entry in batch if entry[0] is task])
            return
        item = self._jobs.get(tasks[0].number)
        if item is not None:
            self._deliver(item, failure)
        if self.on_gpu and not self._works(compressor):
            self._break_off(failure)

    def _works(self, compressor: Divisible) -> bool:
        """Whether a few words can still be shortened."""
        jobs = [Job(text="word " * _WARM_UP_WORDS[0], tokenizer=None)]
        try:
            self.thread.run(partial(compressor.compress, jobs))
        except BaseException:  # as in `_forward`
            return False
        return True

    def _break_off(self, failure: CompressionError) -> None:
        """Give up: most errors of a GPU stay with a process for as long as it lives."""
        self.load_error = NotReadyError(f"the device has stopped working: {failure}; start laconic again")
        _log.error("%s", self.load_error)
        with self._change:
            self.is_broken = True
            self._schedule = Schedule()
            waiting = list(self._jobs.values())
        for item in waiting:
            self._deliver(item, self.load_error)

    def _go_on(self, item: _Waiting) -> None:
        helpers = self._helper_for_long if item.tokens > _LONG_TOKENS else self._helpers
        helpers.submit(self._advance, item)

    def _advance(self, item: _Waiting) -> None:
        """Take a job as far as it goes without the model, from what the model made of its last units."""
        assert self._compressor is not None
        task = item.task
        started = time.monotonic()
        try:
            if item.future.cancelled():
                return
            if item.passes is None or task is None:
                item.passes = self._compressor.passes(item.job)
                units = next(item.passes)
            else:
                units = item.passes.send(task.outcomes)
        except StopIteration as end:
            _add(item.timings, task, time.monotonic() - started)
            self._finish(item, end.value)
        except BaseException as error:  # as in `_forward`
            self._deliver(item, _failure(error))
        else:
            _add(item.timings, task, time.monotonic() - started)
            self._queue(item, Task(item.number, units, task.served_tokens if task is not None else 0))

    def _queue(self, item: _Waiting, task: Task) -> None:
        with self._change:
            item.task = task
            if item.number not in self._jobs:
                return
            if task.units and not self.is_broken:
                self._schedule.add(task)
                self._change.notify()
                return
        if self.load_error is not None:
            self._deliver(item, self.load_error)
        else:
            self._advance(item)

    def _finish(self, item: _Waiting, result: Compressed) -> None:
        timings = item.timings
        worked = timings.tokenize_s + timings.forward_s + timings.select_s
        timings.queue_s = max(time.monotonic() - item.since - worked, 0.0)
        self.speed.add(item.tokens, worked)
        self._deliver(item, Shortened(result, timings))

    def _deliver(self, item: _Waiting, outcome: Shortened | Exception) -> None:
        """Resolve a future of another thread's event loop, unless its caller or its loop is gone."""
        future = item.future
        try:
            future.get_loop().call_soon_threadsafe(resolve, future, outcome)
        except RuntimeError:
            _log.debug("event loop closed before a result came")
            self._release(item)


def _failure(error: BaseException) -> CompressionError:
    if isinstance(error, ModelError):
        return error
    return CompressionError(f"the compressor raised {type(error).__name__}")


def _timed(compressor: Divisible, units: Sequence[Any]) -> tuple[Sequence[Any], float]:
    """What the model makes of `units`, and the seconds it took."""
    started = time.monotonic()
    outcomes = compressor.forward(units)
    return outcomes, time.monotonic() - started


def _add(timings: Timings, task: Task | None, seconds: float) -> None:
    if task is None:
        timings.tokenize_s += seconds
    else:
        timings.select_s += seconds
