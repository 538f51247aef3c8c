"""A compressor that several workers use at a time: over real sockets, with a model that is easy to see through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

import compressors
from compressors import CompressionError, Job
from compressors.engines import NotReadyError, QueueFullError
from policies.config import Compressor
from policies.tokens import tokenizer
from proxy.sharing.channel import Channel
from proxy.sharing.host import Host
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import words

_SMALL = Compressor(device="cpu", max_queue_tokens=512)


@contextlib.asynccontextmanager
async def _hosting(path: Path) -> AsyncIterator[Host]:
    host = Host()
    runner = web.AppRunner(host.application(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, path).start()
    try:
        yield host
    finally:
        await runner.cleanup()
        await host.ended()


@contextlib.asynccontextmanager
async def _channel(path: Path, compressor: Compressor = _SMALL) -> AsyncIterator[Channel]:
    channel = Channel(path, compressor, lambda: None)
    try:
        yield channel
    finally:
        channel.close()
        await channel.ended()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_workers_use_the_same_model(
    tmp_path: Path, compressor: EverySecondWord, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []
    load = compressors.load

    def counted(*arguments: object, **options: object) -> compressors.Compressor:
        loads.append(options)
        return load(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(compressors, "load", counted)
    path = tmp_path / "socket"
    async with _hosting(path), _channel(path) as one, _channel(path) as other:
        await _until(lambda: one.is_ready and other.is_ready)
        job = Job(text=words(40), tokenizer=tokenizer("cl100k_base"))
        found = await asyncio.gather(one.submit(job), other.submit(job))
        assert found[0].result == found[1].result == compressor.compress([job])[0]
        assert compressor.jobs[0].tokenizer is tokenizer("cl100k_base")  # went by its name
        assert one.expected_s(1000) > 0
        assert not one.state.on_gpu
    assert len(loads) == 1


async def test_the_queue_of_all_workers_has_one_bound(tmp_path: Path, compressor: EverySecondWord) -> None:
    path = tmp_path / "socket"
    async with _hosting(path), _channel(path) as one, _channel(path) as other:
        await _until(lambda: one.is_ready and other.is_ready)
        compressor.gate.clear()
        first = one.submit(Job(text=words(20)))
        await _until(lambda: bool(compressor.jobs))
        waiting = one.submit(Job(text="x" * 1200))
        await _until(lambda: other.state.waiting_s > 0)
        refused = other.submit(Job(text="x" * 1200))
        with pytest.raises(QueueFullError, match="allowed: 512"):
            await refused
        compressor.gate.set()
        assert (await first).result.spans
        assert (await waiting).result.spans


async def test_a_cancelled_job_is_not_done(tmp_path: Path, compressor: EverySecondWord) -> None:
    path = tmp_path / "socket"
    async with _hosting(path), _channel(path) as one, _channel(path) as other:
        await _until(lambda: one.is_ready and other.is_ready)
        compressor.gate.clear()
        first = one.submit(Job(text=words(20, "a")))
        await _until(lambda: bool(compressor.jobs))
        dropped = one.submit(Job(text=words(20, "b")))
        await _until(lambda: other.state.waiting_s > 0)
        dropped.cancel()
        last = other.submit(Job(text=words(20, "c")))
        await asyncio.sleep(0.2)  # for the connection's end to arrive
        compressor.gate.set()
        assert (await first).result.spans
        assert (await last).result.spans
        assert [job.text[0] for job in compressor.jobs] == ["a", "c"]


async def test_what_a_model_raises_reaches_the_worker(tmp_path: Path, compressor: EverySecondWord) -> None:
    path = tmp_path / "socket"
    async with _hosting(path), _channel(path) as channel:
        await _until(lambda: channel.is_ready)
        compressor.error = ValueError("secret words of a prompt")
        with pytest.raises(CompressionError, match="raised ValueError"):
            await channel.submit(Job(text=words(20)))


async def test_a_model_that_cannot_be_loaded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> compressors.Compressor:
        raise OSError("no such checkpoint")

    monkeypatch.setattr(compressors, "load", load)
    path = tmp_path / "socket"
    async with _hosting(path), _channel(path) as channel:
        await channel.settled.wait()
        assert str(channel.load_error) == "no such checkpoint"
        with pytest.raises(NotReadyError):
            channel.submit(Job(text=words(20)))


async def test_a_model_stays_as_long_as_a_worker_uses_it(tmp_path: Path, compressor: EverySecondWord) -> None:
    path = tmp_path / "socket"
    async with _hosting(path) as host, _channel(path) as one:
        async with _channel(path, Compressor(device="cpu", method="llmlingua")) as another:
            async with _channel(path) as other:
                await _until(lambda: one.is_ready and other.is_ready and another.is_ready)
                assert host.models == 2
            assert (await one.submit(Job(text=words(20)))).result.spans
            assert host.models == 2
        await _until(lambda: host.models == 1)
        assert (await one.submit(Job(text=words(20)))).result.spans


async def test_jobs_under_way_are_done_before_a_compressor_is_left(
    tmp_path: Path, compressor: EverySecondWord
) -> None:
    path = tmp_path / "socket"
    async with _hosting(path) as host, _channel(path) as channel:
        await _until(lambda: channel.is_ready)
        compressor.gate.clear()
        job = channel.submit(Job(text=words(20)))
        await _until(lambda: bool(compressor.jobs))
        channel.close()
        with pytest.raises(NotReadyError):
            channel.submit(Job(text=words(20)))
        compressor.gate.set()
        assert (await job).result.spans
        await _until(lambda: host.models == 0)


async def test_a_process_that_comes_back_is_used_again(tmp_path: Path, compressor: EverySecondWord) -> None:
    path = tmp_path / "socket"
    async with contextlib.AsyncExitStack() as stack:
        async with _hosting(path):
            channel = await stack.enter_async_context(_channel(path))
            await _until(lambda: channel.is_ready)
            compressor.gate.clear()
            job = channel.submit(Job(text=words(20)))
            await _until(lambda: bool(compressor.jobs))
            compressor.gate.set()
            assert (await job).result.spans
        await _until(lambda: not channel.is_ready)
        with pytest.raises(NotReadyError):
            channel.submit(Job(text=words(20)))
        await stack.enter_async_context(_hosting(path))
        await _until(lambda: channel.is_ready)
        assert (await channel.submit(Job(text=words(20)))).result.spans
