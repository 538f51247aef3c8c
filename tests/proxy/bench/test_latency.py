"""Callers that wait for their answers, with an engine that does nothing."""

from __future__ import annotations

import asyncio

import pytest

from compressors import Compressed, CompressionError, Job
from compressors.engines import BatchStatistics, Shortened, Timings
from compressors.measuring import Arithmetic, MatmulRate
from proxy.bench.latency import measure
from proxy.bench.outcomes import Latency
from proxy.bench.plan import Load

ARITHMETIC = Arithmetic(parameters=20, multiplied=10, layers=1, width=2, causal=False, window=4)
RATE = MatmulRate(flops_per_s=1e9, size=8, dtype="float32", way="mm")


class Instant:
    """Answers at once, but for the texts `slow`, which it never answers, and `bad`, which it refuses."""

    def __init__(self) -> None:
        self.batches = BatchStatistics()
        self.waiting = self.most = 0

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        future.add_done_callback(self._left)
        if job.text == "bad":
            future.set_exception(CompressionError("no"))
        elif job.text != "slow":
            self.batches.add(5, 10, 0.001)
            result = Compressed(spans=(), text="", original_tokens=5, compressed_tokens=0)
            timings = Timings(queue_s=0.001, tokenize_s=0.002, forward_s=0.003, select_s=0.004)
            asyncio.get_running_loop().call_later(0.002, _answer, future, Shortened(result, timings))
        return future

    def _left(self, _: object) -> None:
        self.waiting -= 1


def _answer(future: asyncio.Future[Shortened], answer: Shortened) -> None:
    if not future.cancelled():
        future.set_result(answer)


def _measure(engine: Instant, texts: list[str], callers: int, limit_s: float = 20.0) -> Latency:
    load = Load(
        size="5",
        jobs=[Job(text=text) for text in texts],
        tokens=[5] * len(texts),
        concurrency=callers,
        requests=12,
        limit_s=limit_s,
    )
    return asyncio.run(measure(engine, load, "cpu", ARITHMETIC, RATE))  # type: ignore[arg-type]


def test_every_request_is_made_by_so_many_callers_at_a_time() -> None:
    engine = Instant()
    found = _measure(engine, ["one", "two", "three"], 4)
    assert (found.requests, found.unfinished, found.tokens) == (12, 0, 60)
    assert engine.most == 4
    assert found.latency is not None
    assert found.latency.p50 >= 2
    assert (found.tokenize_ms, found.forward_ms, found.select_ms) == pytest.approx((2, 3, 4))
    assert found.queue is not None
    assert found.queue.p99 == pytest.approx(1)


def test_batches_and_use_are_those_of_the_time_measured() -> None:
    engine = Instant()
    engine.batches.count = 1000
    found = _measure(engine, ["one"], 1)
    assert found.batches is not None
    assert (found.batches.count, found.batches.fill) == (12, 0.5)
    operations = 12 * (2 * 10 * 5 + 4 * 1 * 2 * (16 + 1))  # windows of 4 tokens and of 1
    assert found.utilisation == pytest.approx(operations / found.seconds / 1e9)
    assert found.model_utilisation == pytest.approx(operations / 0.012 / 1e9)


def test_what_is_not_answered_in_time_is_given_up_and_counted() -> None:
    found = _measure(Instant(), ["one", "slow"], 2, limit_s=0.3)
    assert found.unfinished == 2
    assert found.requests == 2
    assert found.model_utilisation is None


def test_what_the_engine_raises_is_raised() -> None:
    with pytest.raises(CompressionError, match="no"):
        _measure(Instant(), ["one", "bad"], 2)
