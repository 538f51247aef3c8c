"""One compressor on several devices."""

from __future__ import annotations

import asyncio

import pytest

import compressors
from compressors import Compressor, Job
from compressors.engines import Batcher, NotReadyError, Several
from tests.fakes.divisible import TenWords


def started(models: dict[str, TenWords]) -> Several:
    def start(device: str) -> Batcher:
        def load() -> Compressor:
            if device not in models:
                raise OSError(f"no {device} here")
            return models[device]

        return Batcher(load, max_queue_tokens=100)

    return Several(start, lambda: ["one", "two"])


async def test_jobs_go_where_less_waits_and_all_devices_work_at_a_time() -> None:
    models = {name: TenWords(device=name) for name in ("one", "two")}
    engine = started(models)
    assert not engine.is_ready
    with pytest.raises(NotReadyError):
        engine.submit(Job(text="too early"))
    await engine.loaded()
    for each in engine._engines:
        each.speed.add(10**9, 1.0)
    jobs = [engine.submit(Job(text=f"{name} and more")) for name in "abcd"]
    while not all(model.batches for model in models.values()):
        await asyncio.sleep(0.001)
    for model in models.values():
        model.is_open = True
        model.gate.release(1)
    assert all(done.result.compressed_tokens == 2 for done in await asyncio.gather(*jobs))
    assert sorted(name for model in models.values() for batch in model.batches for name in batch) == list(
        "abcd"
    )
    assert all(sum(map(len, model.batches)) == 2 for model in models.values())
    assert engine.batches.tokens == 12
    assert engine.expected_s(300) > 0
    engine.close()
    await engine.ended(10)


async def test_a_device_that_cannot_load_is_left_out() -> None:
    model = TenWords(device="two")
    model.is_open = True
    engine = started({"two": model})
    await engine.loaded()
    assert engine.is_ready
    assert engine.load_error is None
    assert (await engine.submit(Job(text="a b c"))).result.compressed_tokens == 2
    engine.close()
    await engine.ended(10)


async def test_no_device_at_all_is_an_error() -> None:
    engine = started({})
    await engine.loaded()
    assert not engine.is_ready
    assert "no one here" in str(engine.load_error)


def test_devices_by_name() -> None:
    assert compressors.devices("cpu") == ["cpu"]
    assert compressors.devices("cuda:0, cuda:1,cuda:0") == ["cuda:0", "cuda:1"]
    assert len(compressors.devices("auto")) >= 1
