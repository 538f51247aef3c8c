"""One suite for every store, and the rules of the memory in front."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.skip import Skip
from proxy.store.backend import Backend
from proxy.store.decision import Decision, Keys
from proxy.store.memory import Memory
from proxy.store.redis import RedisBackend
from proxy.store.sqlite import SqliteBackend
from tests.fakes.redis import RedisServer


@pytest.fixture(params=["sqlite", "redis"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    if request.param == "sqlite":
        store: Backend = SqliteBackend(tmp_path / "laconic.db", ttl_s=1)
        yield store
        await store.close()
    else:
        with RedisServer() as server:
            store = RedisBackend(server.url, ttl_s=1)
            yield store
            await store.close()


async def test_unknown_keys_are_none(backend: Backend) -> None:
    assert await backend.get_many([b"a", b"b"]) == [None, None]


async def test_what_was_written_is_read_in_order(backend: Backend) -> None:
    await backend.settle({b"a": b"1", b"b": b"\0\xff"}, {})
    assert await backend.get_many([b"b", b"missing", b"a"]) == [b"\0\xff", None, b"1"]


async def test_the_first_writer_wins(backend: Backend) -> None:
    assert await backend.settle({b"a": b"1"}, {}) == [b"1"]
    assert await backend.settle({b"b": b"2", b"a": b"other"}, {}) == [b"2", b"1"]
    assert await backend.get_many([b"a"]) == [b"1"]


async def test_what_is_newer_replaces_what_is_there(backend: Backend) -> None:
    await backend.settle({b"a": b"1"}, {b"c": b"old"})
    assert await backend.settle({b"a": b"2"}, {b"c": b"new", b"d": b""}) == [b"1"]
    assert await backend.settle({}, {}) == []
    assert await backend.get_many([b"a", b"c", b"d"]) == [b"1", b"new", b""]


async def test_unused_decisions_are_forgotten(backend: Backend) -> None:
    await backend.settle({b"a": b"1"}, {})
    await asyncio.sleep(1.2)
    assert await backend.get_many([b"a"]) == [None]
    assert await backend.settle({b"a": b"2"}, {}) == [b"2"]


async def test_use_renews_the_lifetime(backend: Backend) -> None:
    await backend.settle({b"a": b"1"}, {})
    for _ in range(4):
        await asyncio.sleep(0.6)
        assert await backend.get_many([b"a"]) == [b"1"]


async def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    one, other = (SqliteBackend(tmp_path / "laconic.db", ttl_s=60) for _ in range(2))
    await asyncio.gather(
        *(store.settle({b"%d" % i: b"x" for i in range(50)}, {}) for store in (one, other) * 5)
    )
    assert await other.get_many([b"0", b"49"]) == [b"x", b"x"]
    await one.close()
    await other.close()


@given(
    st.lists(st.integers(1, 100_000), max_size=40),
    st.integers(0, 2**31),
    st.integers(0, 2**31),
    st.sampled_from([None, *Skip]),
)
def test_a_decision_survives_its_encoding(
    steps: list[int], original: int, sent: int, skip: Skip | None
) -> None:
    bounds, at = [], 0
    for step in steps:
        bounds.append((at := at + step, at := at + 1))
    decision = Decision(original, sent, bounds, skip)
    assert Decision.decode(decision.encode()) == decision
    verbatim = Decision(original, sent, None, skip)
    assert Decision.decode(verbatim.encode()) == verbatim


@given(st.binary(max_size=60))
def test_bytes_that_are_no_decision_raise_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        Decision.decode(data)


def test_a_decision_renders_its_spans() -> None:
    assert Decision(3, 2, [(0, 4), (8, 12)]).render("one two three") == "one three"[:4] + "thre"
    assert Decision(3, 3).render("one two three") == "one two three"


def test_keys_depend_on_the_secret_and_on_where_parts_end() -> None:
    keys = Keys(b"secret")
    assert keys.within(b"ab", b"c").digest(b"d") == keys.within(b"ab").within(b"c").digest(b"d")
    others = [
        keys.within(b"a", b"bc").digest(b"d"),
        keys.within(b"ab").digest(b"cd"),
        keys.within(b"ab", b"c").digest(b"e"),
        Keys(b"other").within(b"ab", b"c").digest(b"d"),
    ]
    assert keys.within(b"ab", b"c").digest(b"d") not in others


async def test_memory_forgets_the_least_recently_used() -> None:
    size = Decision(1, 1).size_bytes
    memory = Memory(3 * size)
    for key in (b"a", b"b", b"c"):
        await memory.settle({key: Decision(1, 1)})
    await memory.get_many([b"a"])
    await memory.settle({b"d": Decision(1, 1)})
    found = await memory.get_many([b"a", b"b", b"c", b"d"])
    assert [decision is not None for decision in found] == [True, False, True, True]


async def test_memory_reads_through_and_saves_what_it_decided_while_the_store_was_down(
    tmp_path: Path,
) -> None:
    with RedisServer() as server:
        memory = Memory(10**6, RedisBackend(server.url, ttl_s=60))
        server.kill()
        await memory.settle({b"a": Decision(9, 9, None, Skip.DEADLINE)})
        server.restart()
        await asyncio.sleep(1.1)  # a store that failed is left in peace for a second
        await memory.settle({b"b": Decision(5, 5, None, Skip.DEADLINE)})
        memory.clear()
        assert await memory.get_many([b"a", b"b"]) == [
            Decision(9, 9, None, Skip.DEADLINE),
            Decision(5, 5, None, Skip.DEADLINE),
        ]
        await memory.close()


async def test_no_text_is_ever_stored(tmp_path: Path) -> None:
    backend = SqliteBackend(tmp_path / "laconic.db", ttl_s=60)
    memory = Memory(10**6, backend)
    await memory.settle({Keys(b"s").digest(b"my prompt"): Decision(2, 1, [(0, 2), (3, 9)])})
    await memory.close()
    with sqlite3.connect(tmp_path / "laconic.db") as connection:
        (row,) = connection.execute("SELECT key, value FROM decisions").fetchall()
    connection.close()
    assert len(row[0]) == 32
    assert b"prompt" not in row[0] + row[1]


@pytest.mark.parametrize("spans", [[(50, 60), (0, 10)], [(70_000, 70_010), (5, 9), (20, 90)], [(3, 4)], []])
def test_spans_in_any_order_are_remembered(spans: list[tuple[int, int]]) -> None:
    decision = Decision(100, 40, spans)
    assert Decision.decode(decision.encode()) == decision
    assert Decision.decode(decision.encode()).spans == decision.spans
