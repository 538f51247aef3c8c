"""Requests reach the recorder through the real proxy, whole, in order and with what routes look at."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from policies.config import Config
from proxy.credentials import key_hash
from proxy.loopback import serving
from proxy.replay.conversations import Conversation, Recorded
from proxy.replay.recorder import Recorder
from proxy.replay.run import Reply, replay
from proxy.replay.serving import Stage, proxy_before_recorder
from proxy.settings import Settings
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import config
from tests.proxy.replay.recordings import turns


def replies(
    found: Config, *conversations: Sequence[Recorded], concurrency: int = 2
) -> dict[str, Sequence[Reply]]:
    """What became of each conversation, by its number."""
    named = [Conversation("t", str(number), requests) for number, requests in enumerate(conversations)]
    done: dict[str, Sequence[Reply]] = {}
    with proxy_before_recorder(found, Settings()) as stage:
        replay(named, stage, concurrency, lambda each, some: done.update({each.name: some}))
    return done


def recorded(requests: Sequence[dict[str, Any]], **more: Any) -> list[Recorded]:
    return [Recorded(number, request, **more) for number, request in enumerate(requests)]


def test_untouched_requests_arrive_as_they_are(compressor: EverySecondWord) -> None:
    odd = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "\ud800 Ünïcode"}],
        "seed": 12345678901234567890,
    }
    found = replies(
        config("http://nowhere.invalid/v1", policy={"mode": "off"}), recorded([*turns("a", 2), odd])
    )
    assert [reply.sent for reply in found["0"]] == [*turns("a", 2), odd]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_each_turn_begins_with_what_was_sent_before(compressor: EverySecondWord, concurrency: int) -> None:
    some = [recorded(turns(salt, 3)) for salt in "abc"]
    found = replies(config("http://nowhere.invalid/v1"), *some, concurrency=concurrency)
    assert sorted(found) == ["0", "1", "2"]
    for number in found:
        histories = [reply.sent["messages"] for reply in found[number] if reply.sent is not None]
        assert [len(messages) for messages in histories] == [2, 4, 6]
        assert histories[2][:4] == histories[1]
        assert histories[1][1] != turns("abc"[int(number)], 2)[1]["messages"][1]  # it was shortened


def test_streams_are_served_and_read(compressor: EverySecondWord) -> None:
    more = {"stream": True, "stream_options": {"include_usage": True}}
    requests = [request | more for request in turns("a", 2)]
    found = replies(config("http://nowhere.invalid/v1", policy={"recover": True}), recorded(requests))
    assert [(reply.status, reply.error) for reply in found["0"]] == [(200, "")] * 2
    assert int(found["0"][1].headers["x-laconic-saved-tokens"]) > 0


def test_recorded_paths_and_headers_choose_the_route(compressor: EverySecondWord) -> None:
    settings = config(
        "http://nowhere.invalid/v1", route={"path": "/rag/v1", "match": {"header": {"x-team": "search"}}}
    )
    path = "/rag/v1/chat/completions"
    chosen = recorded(turns("a", 1), path=path, headers={"X-Team": "search", "Content-Length": "1"})
    other = recorded(turns("a", 1), path=path)
    found = replies(settings, chosen, other)
    assert found["0"][0].headers["x-laconic-policy"] == "careful"
    assert (found["1"][0].status, found["1"][0].error, found["1"][0].sent) == (404, "unknown_route", None)


def test_a_recorded_hash_stands_for_the_callers_key(compressor: EverySecondWord) -> None:
    ours = key_hash("sk-ours")
    settings = config("http://nowhere.invalid/v1", route={"match": {"key": ours}})
    found = replies(
        settings, recorded(turns("a", 1), key=ours), recorded(turns("a", 1), key=key_hash("sk-other"))
    )
    assert [found[name][0].status for name in "01"] == [200, 404]


def test_no_answer_at_all_is_a_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done: list[Sequence[Reply]] = []
    stage = Stage(f"http://127.0.0.1:{port}", Recorder())
    replay([Conversation("t", "c", recorded(turns("a", 1)))], stage, 1, lambda _, some: done.append(some))
    assert [(reply.status, bool(reply.error), reply.sent) for reply in done[0]] == [(0, True, None)]


async def test_the_recorder_counts_what_it_gets() -> None:
    recorder = Recorder()
    body = turns("a", 1)[0]
    asking = body | {"stream": True, "stream_options": {"include_usage": True}}
    with serving(recorder.app) as port:
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        async with aiohttp.ClientSession() as session:
            async with session.post(url, json=body) as answer:
                whole = await answer.json()
            async with session.post(url, json=asking) as answer:
                events = [line[6:] for line in (await answer.text()).splitlines() if line]
    last = json.loads(events[-2])
    assert events[-1] == "[DONE]"
    assert last["usage"] == whole["usage"]
    assert whole["usage"]["prompt_tokens"] > 800
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + 1
