"""One suite for every sink, and the rules of the ledger in front."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.config import StoreConfig
from proxy.ledger import Entry, Ledger, open_sink
from proxy.ledger.counts import BUCKET_S, Counts, Dimensions, Row, Series
from proxy.ledger.sink import SinkError
from proxy.usage import Usage
from tests.fakes.ledger import Store
from tests.fakes.redis import RedisServer

NOW = int(time.time()) // BUCKET_S * BUCKET_S


@contextlib.asynccontextmanager
async def _ledger(store: Store, **options: int) -> AsyncIterator[Ledger]:
    ledger = Ledger(store.sink(), **options)
    try:
        yield ledger
    finally:
        await ledger.close()


async def _rows(
    store: Store, since_s: float = NOW - 100_000, until_s: float = NOW + 2 * BUCKET_S
) -> list[Row]:
    sink = store.sink()
    rows = [row async for row in sink.read(since_s, until_s)]
    await sink.close()
    return rows


def _sum(rows: list[Row]) -> Counts:
    total = Counts()
    for _, counts in rows:
        total = total.plus(counts)
    return total


def _entry(tokens: int = 100, sent: int = 60, **more: object) -> Entry:
    return Entry(
        "rag",
        "careful",
        "gpt-4o",
        mode="on",
        original_tokens=tokens,
        sent_tokens=sent,
        time_s=NOW,
        **more,  # type: ignore[arg-type]
    )


async def test_a_request_is_read_as_it_was_added(store: Store) -> None:
    async with _ledger(store) as ledger:
        ledger.add(
            Entry(
                route="rag",
                policy="careful",
                model="gpt-4o",
                key="5f2b",
                mode="on",
                arm="holdout",
                cluster=35,
                original_tokens=1000,
                sent_tokens=400,
                shadow_saved_tokens=7,
                saved_nanousd=-1500,
                compress_s=0.0125,
                usage=Usage(420, 128, 50),
                time_s=NOW + 299.9,
            )
        )
    series = Series(NOW, Dimensions("rag", "careful", "gpt-4o", "5f2b", "on", "holdout", 3))
    counts = Counts(
        requests=1,
        original_tokens=1000,
        sent_tokens=400,
        shadow_saved_tokens=7,
        saved_nanousd=-1500,
        compress_us=12_500,
        usage_requests=1,
        usage_prompt_tokens=420,
        usage_cached_tokens=128,
        usage_completion_tokens=50,
        reconciled_requests=1,
        reconciled_original_tokens=1000,
        reconciled_sent_tokens=400,
        reconciled_prompt_tokens=420,
    )
    assert await _rows(store) == [(series, counts)]
    assert (counts.saved_tokens, counts.drift_tokens) == (600, 20)


async def test_only_requests_with_a_usage_that_were_counted_are_compared(store: Store) -> None:
    async with _ledger(store) as ledger:
        ledger.add(_entry(usage=Usage(70, 0, 1)))
        ledger.add(_entry())  # its answer told nothing
        ledger.add(_entry(0, 0, usage=Usage(500, 0, 1)))  # nobody counted it
    total = _sum(await _rows(store))
    assert (total.requests, total.usage_requests, total.reconciled_requests) == (3, 2, 1)
    assert total.usage_prompt_tokens == 570
    assert total.drift_tokens == 10


async def test_ledgers_on_one_store_add_up(store: Store) -> None:
    async with _ledger(store) as one, _ledger(store) as other:
        for _ in range(5):
            for ledger in (one, other):
                ledger.add(_entry())
            await asyncio.gather(one.flush(), other.flush())
    ((_, counts),) = await _rows(store)
    assert counts == Counts(requests=10, original_tokens=1000, sent_tokens=600)


async def test_buckets_are_told_apart_and_a_span_takes_those_that_it_touches(store: Store) -> None:
    async with _ledger(store) as ledger:
        for number in range(4):
            ledger.add(Entry("r", time_s=NOW - number * BUCKET_S))
    assert len(await _rows(store)) == 4
    since, until = NOW - 2 * BUCKET_S + 1, NOW - BUCKET_S + 0.5
    assert [series.bucket for series, _ in await _rows(store, since, until)] == [
        NOW - 2 * BUCKET_S,
        NOW - BUCKET_S,
    ]
    assert await _rows(store, NOW - BUCKET_S, NOW - BUCKET_S) == []


async def test_counts_are_written_in_the_background(store: Store) -> None:
    ledger = Ledger(store.sink(), flush_every_s=0.01)
    ledger.add(Entry("old", time_s=NOW - 200_000))
    await ledger.flush()  # so that there is a store to read
    ledger.start()
    ledger.add(_entry())
    async with asyncio.timeout(10):
        while not await _rows(store):
            await asyncio.sleep(0.01)
    ledger.add(_entry())
    await ledger.close()
    assert _sum(await _rows(store)).requests == 2


async def test_a_write_without_an_answer_counts_once(store: Store) -> None:
    async with _ledger(store) as ledger:
        ledger.add(_entry())
        await ledger.flush()
        with store.out_of_order():
            for number in range(250):
                ledger.add(_entry(key=f"k{number}"))
            await ledger.flush()
            ledger.add(_entry())
        await ledger.flush()
    found = {series.dimensions.key: counts.requests for series, counts in await _rows(store)}
    assert found == {"": 2, **{f"k{number}": 1 for number in range(250)}}


async def test_counts_outlive_a_redis_that_is_killed(redis_server: RedisServer) -> None:
    store = Store(redis_server.url, redis_server)
    async with _ledger(store) as ledger:
        redis_server.kill()
        for _ in range(3):
            ledger.add(_entry())
            await ledger.flush()
        redis_server.restart()
        ledger.add(_entry())
        await ledger.flush()
        assert _sum(await _rows(store)).requests == 4


async def test_closing_ends_while_the_store_is_down(redis_server: RedisServer) -> None:
    ledger = Ledger(Store(redis_server.url, redis_server).sink())
    ledger.start()
    ledger.add(_entry())
    redis_server.kill()
    await ledger.close()
    ledger.add(_entry())


async def test_callers_cannot_make_the_ledger_grow(store: Store) -> None:
    async with _ledger(store, most_series=10) as ledger:
        for number in range(30):
            for _ in range(2):
                ledger.add(Entry("r", model=f"m{number}", key=f"k{number}", time_s=NOW))
            await ledger.flush()
    found = {series.dimensions.model: counts.requests for series, counts in await _rows(store)}
    assert found == {**{f"m{number}": 2 for number in range(10)}, "other": 40}


async def test_what_is_kept_for_a_store_that_is_down_is_bounded(redis_server: RedisServer) -> None:
    store = Store(redis_server.url, redis_server)
    async with _ledger(store, most_series=10) as ledger:
        redis_server.kill()
        for number in range(200):
            ledger.add(Entry("r", time_s=NOW - (200 - number) * BUCKET_S))
        redis_server.restart()
    assert _sum(await _rows(store)).requests == 50


@pytest.mark.parametrize("name", ["x" * 101, "line\nbreak", "\ud800", "nul\0"])
async def test_names_that_no_store_should_hold_are_other(store: Store, name: str) -> None:
    async with _ledger(store) as ledger:
        ledger.add(Entry("r", model=name, key=name, time_s=NOW))
    ((series, _),) = await _rows(store)
    assert (series.dimensions.model, series.dimensions.key) == ("other", "other")


@pytest.mark.parametrize("name", ["gpt-4o", 'a "quoted", name', "모델", "writer 1", ""])
async def test_other_names_stay(store: Store, name: str) -> None:
    async with _ledger(store) as ledger:
        ledger.add(Entry("r", model=name, time_s=NOW))
    ((series, _),) = await _rows(store)
    assert series.dimensions.model == name


async def test_sums_are_exact(store: Store) -> None:
    async with _ledger(store) as ledger:
        for _ in range(3):
            ledger.add(_entry(saved_nanousd=2**51 + 1))
            await ledger.flush()
    assert _sum(await _rows(store)).saved_nanousd == 3 * (2**51 + 1)


async def test_old_buckets_go(store: Store) -> None:
    for bucket in (NOW - BUCKET_S, NOW + BUCKET_S):
        ledger = Ledger(store.sink(retention_s=1))
        ledger.add(Entry("r", time_s=bucket))
        await ledger.close()
        await asyncio.sleep(1.1)
    assert NOW - BUCKET_S not in {series.bucket for series, _ in await _rows(store)}


async def test_a_store_without_a_ledger_is_empty(store: Store) -> None:
    if store.server is None:
        sqlite3.connect(store.url.removeprefix("sqlite:///")).close()
    assert await _rows(store) == []


async def test_reading_makes_no_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/laconic.db", None)
    with pytest.raises(SinkError, match="no such file"):
        await _rows(store)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 (nothing else runs)


async def test_without_a_store_nothing_is_kept() -> None:
    assert open_sink(StoreConfig(url="memory:")) is None
    ledger = Ledger(None)
    ledger.start()
    ledger.add(_entry())
    await ledger.flush()
    await ledger.close()


_entries = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["a", "b"]),
        model=st.sampled_from(["gpt-4o", "o3"]),
        mode=st.sampled_from(["on", "shadow"]),
        arm=st.sampled_from(["", "treated", "holdout"]),
        cluster=st.integers(0, 31),
        original_tokens=st.integers(0, 10_000),
        sent_tokens=st.integers(0, 10_000),
        saved_nanousd=st.integers(-(10**9), 10**9),
        usage=st.none() | st.builds(Usage, *[st.integers(0, 10_000)] * 3),
        time_s=st.floats(NOW - 10_000, NOW),
    ),
    max_size=30,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_entries)
def test_the_buckets_sum_is_the_entries_sum(store: Store, entries: list[Entry]) -> None:
    async def grown() -> Counts:
        async with _ledger(store, most_series=3) as ledger:
            ledger.add(Entry("r", time_s=NOW))  # so that there is a store to read
            await ledger.flush()
            before = _sum(await _rows(store))
            for some in itertools.pairwise([*range(0, len(entries), 7), len(entries)]):
                for entry in entries[slice(*some)]:
                    ledger.add(entry)
                await ledger.flush()
        return Counts._make(b - a for a, b in zip(before, _sum(await _rows(store)), strict=True))

    assert asyncio.run(grown()) == _sum([(entry.series, entry.counts) for entry in entries])
