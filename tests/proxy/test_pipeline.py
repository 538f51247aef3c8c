"""Decisions in flight: joined, given up, taken up again."""

from __future__ import annotations

import asyncio

from compressors.engines import Batcher
from policies.groups import Text
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
