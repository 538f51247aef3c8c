"""Decisions in flight: joined, given up, taken up again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from compressors import CompressionError, Job
from compressors.engines import Batcher, NotReadyError, QueueFullError, Shortened
from policies.groups import Text
from policies.skip import Skip
from proxy.pipeline import Order, Pipeline
from proxy.store.conversation import Terms
from proxy.store.decision import Keys
from proxy.store.memory import Memory
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import config, words


async def _pipeline(compressor: EverySecondWord) -> tuple[Pipeline, Order]:
    engine = Batcher(lambda: compressor, max_queue_tokens=100_000)
    await engine.loaded()
    policy = config("http://unused").policies["careful"]
    return Pipeline(Memory(10**6)), Order(policy, engine, Keys(b"secret"), Terms(b"t" * 16), "o200k_base")


async def test_a_text_that_all_callers_gave_up_is_decided_anew(compressor: EverySecondWord) -> None:
    pipeline, order = await _pipeline(compressor)
    texts = [Text("user", words(100))]
    for moments in range(4):  # given up before it began, on the way, with the model
        compressor.gate.clear()
        given_up = asyncio.create_task(pipeline.decide(texts, order))
        for _ in range(moments):
            await asyncio.sleep(0)
        given_up.cancel()
        again = asyncio.create_task(pipeline.decide(texts, order))
        compressor.gate.set()
        (decision,) = (await again).decisions
        assert decision.skip is None
        pipeline = Pipeline(Memory(10**6))
    order.engine.close()


async def test_a_text_that_one_of_two_callers_gave_up_is_still_decided_once(
    compressor: EverySecondWord,
) -> None:
    pipeline, order = await _pipeline(compressor)
    texts = [Text("user", words(100))]
    compressor.gate.clear()
    first, second = (asyncio.create_task(pipeline.decide(texts, order)) for _ in range(2))
    while not compressor.jobs:
        await asyncio.sleep(0.01)
    first.cancel()
    compressor.gate.set()
    (decision,) = (await second).decisions
    assert decision.skip is None
    assert len(compressor.jobs) == 1
    order.engine.close()


class Far(Batcher):
    """An engine elsewhere: it learns later that a job isn't taken."""

    error: CompressionError

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Take the job, and fail."""
        future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize(
    ("error", "skip"),
    [
        (QueueFullError("too much"), Skip.OVERLOADED),
        (NotReadyError("gone"), Skip.NOT_READY),
        (CompressionError("raised"), Skip.FAILED),
    ],
)
async def test_why_an_engine_elsewhere_took_no_job(
    compressor: EverySecondWord, error: CompressionError, skip: Skip
) -> None:
    pipeline, order = await _pipeline(compressor)
    order.engine.close()
    engine = Far(lambda: compressor, max_queue_tokens=1000)
    await engine.loaded()
    engine.error = error
    (decision,) = (await pipeline.decide([Text("user", words(100))], replace(order, engine=engine))).decisions
    assert decision.skip is skip
    engine.close()
