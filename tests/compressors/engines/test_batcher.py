"""Many jobs, one model: what shares a batch, who waits for whom, and what becomes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from compressors import CompressionError, Job
from compressors.engines import Batcher, NotReadyError, QueueFullError
from tests.fakes.compressor import EverySecondWord
from tests.fakes.divisible import TenWords, Words


def text(name: str, words: int) -> str:
    """`words` words that begin with `name`."""
    return " ".join(f"{name}{i}" for i in range(words))


@pytest.fixture
def model() -> TenWords:
    return TenWords()


@pytest.fixture
async def batcher(model: TenWords) -> AsyncIterator[Batcher]:
    made = Batcher(lambda: model, max_queue_tokens=10_000)
    await made.loaded()
    yield made
    model.is_open = True
    model.gate.release(1000)
    made.close()
    await made.ended(10)


async def entered(model: TenWords) -> None:
    """Wait until the model has a batch before it."""
    while not model.entered.is_set():
        await asyncio.sleep(0.001)
    model.entered.clear()


async def waiting(batcher: Batcher, tasks: int) -> None:
    """Wait until so many tasks are ready for the model."""
    while len(batcher._schedule._by_age) < tasks:
        await asyncio.sleep(0.001)


async def test_a_short_text_passes_the_later_parts_of_a_long_one(model: TenWords, batcher: Batcher) -> None:
    long = batcher.submit(Job(text=text("long", 100)))
    await entered(model)
    short = batcher.submit(Job(text=text("short", 8)))
    await waiting(batcher, 2)
    model.gate.release(2)
    await short
    assert not long.done()
    assert model.batches[0] == ["long0", "long10"]
    assert model.batches[1] == ["short0", "long20"]
    model.gate.release(100)
    assert (await long).result.compressed_tokens == 50


async def test_many_short_texts_do_not_hold_up_a_long_one_for_ever(model: TenWords, batcher: Batcher) -> None:
    long = batcher.submit(Job(text=text("long", 60)))
    await entered(model)
    shorts = [batcher.submit(Job(text=text(f"short{i}_", 10))) for i in range(60)]
    await waiting(batcher, 61)
    model.is_open = True
    model.gate.release(1)
    await long
    assert sum(name.startswith("long") for batch in model.batches[:17] for name in batch) >= 4
    await asyncio.gather(*shorts)


async def test_units_of_several_texts_share_a_batch(model: TenWords, batcher: Batcher) -> None:
    first = batcher.submit(Job(text=text("first", 10)))
    await entered(model)
    others = [batcher.submit(Job(text=text(name, 5))) for name in "abcd"]
    await waiting(batcher, 4)
    model.gate.release(2)
    await asyncio.gather(first, *others)
    assert model.batches[1] == ["a0", "b0", "c0", "d0"]
    assert batcher.batches.tokens == 30
    assert batcher.batches.budget_tokens == 40


async def test_what_is_left_of_a_text_that_is_given_up_is_not_read(model: TenWords, batcher: Batcher) -> None:
    long = batcher.submit(Job(text=text("long", 100)))
    await entered(model)
    long.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert batcher.queued_tokens == 0
    model.gate.release(2)
    await batcher.submit(Job(text=text("next", 10)))
    assert model.batches == [["long0", "long10"], ["next0"]]


async def test_a_text_that_goes_through_twice_may_change_places_with_others(
    model: TenWords, batcher: Batcher
) -> None:
    model.is_open = True
    twice, once = await asyncio.gather(
        batcher.submit(Job(text="twice " + text("a", 15))), batcher.submit(Job(text=text("b", 15)))
    )
    assert twice.result.compressed_tokens == 5
    assert once.result.compressed_tokens == 8
    for timings in (twice.timings, once.timings):
        assert min(timings.queue_s, timings.tokenize_s, timings.forward_s, timings.select_s) >= 0
        assert timings.forward_s > 0


async def test_a_failure_costs_nobody_else(model: TenWords, batcher: Batcher) -> None:
    first = batcher.submit(Job(text=text("first", 10)))
    await entered(model)
    bad = batcher.submit(Job(text="poison " + text("bad", 3)))
    worse = batcher.submit(Job(text="unreadable"))
    good = batcher.submit(Job(text=text("good", 6)))
    model.is_open = True
    model.gate.release(1)
    assert (await first).result.compressed_tokens == 5
    assert (await good).result.compressed_tokens == 3
    with pytest.raises(CompressionError, match="RuntimeError"):
        await bad
    with pytest.raises(CompressionError, match="ValueError"):
        await worse
    assert (await batcher.submit(Job(text=text("later", 10)))).result.compressed_tokens == 5


async def test_a_device_that_has_stopped_working_is_told() -> None:
    model = TenWords(device="cuda:0 of a fake")
    model.is_open = True
    batcher = Batcher(lambda: model, max_queue_tokens=10_000)
    await batcher.loaded()
    with pytest.raises(CompressionError, match="RuntimeError"):
        await batcher.submit(Job(text="poison " + text("a", 5)))
    assert batcher.is_ready
    assert not batcher.is_broken
    model.is_broken = True
    with pytest.raises(CompressionError):
        await batcher.submit(Job(text=text("b", 5)))
    while batcher.is_ready:
        await asyncio.sleep(0.001)
    assert batcher.is_broken
    with pytest.raises(NotReadyError, match="has stopped working: the compressor raised RuntimeError"):
        batcher.submit(Job(text=text("c", 5)))
    batcher.close()
    await batcher.ended(10)


async def test_a_batch_that_cannot_even_be_made_fails_those_who_wait(
    model: TenWords, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.is_open = True
    with monkeypatch.context() as patch:
        patch.setattr(Words, "__len__", lambda unit: len(unit.words) if unit.words[0] != "odd0" else -1)
        with pytest.raises(CompressionError, match="ValueError"):
            await batcher.submit(Job(text=text("odd", 30)))
    assert (await batcher.submit(Job(text=text("later", 10)))).result.compressed_tokens == 5


async def test_a_full_queue_says_so_at_once(model: TenWords) -> None:
    batcher = Batcher(lambda: model, max_queue_tokens=100)
    await batcher.loaded()
    job = Job(text="x" * 240)
    first = batcher.submit(job)
    with pytest.raises(QueueFullError, match="allowed: 100"):
        batcher.submit(job)
    first.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    model.is_open = True
    model.gate.release(1)
    await batcher.submit(job)
    batcher.close()
    await batcher.ended(10)
    with pytest.raises(NotReadyError):
        batcher.submit(job)


async def test_what_waits_at_the_end_is_still_done(model: TenWords) -> None:
    batcher = Batcher(lambda: model, max_queue_tokens=1000)
    await batcher.loaded()
    jobs = [batcher.submit(Job(text=text(name, 30))) for name in "ab"]
    batcher.close()
    model.is_open = True
    model.gate.release(1)
    assert [done.result.compressed_tokens for done in await asyncio.gather(*jobs)] == [15, 15]
    await batcher.ended(10)
    assert not batcher._thread.is_alive()


async def test_a_compressor_that_cannot_be_cut_gets_whole_jobs(compressor: EverySecondWord) -> None:
    batcher = Batcher(lambda: compressor, max_queue_tokens=1000)
    await batcher.loaded()
    done = await asyncio.gather(*(batcher.submit(Job(text=text(name, 30))) for name in "ab"))
    assert [shortened.result.compressed_tokens for shortened in done] == [15, 15]
    batcher.close()
    await batcher.ended(10)
