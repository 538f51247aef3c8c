"""What was sent for a message is sent again on every later turn, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from policies.config import Config
from tests.conftest import conversations
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, chat, config, metric, words
from tests.fakes.redis import RedisServer
from tests.fakes.upstream import FakeUpstream

_TURNS = 12
TRAFFIC = ["agent_airline", "chat_sharegpt", "swe_agent"]


def _invented() -> list[dict[str, Any]]:
    """A conversation that grows by a question, a tool call and an answer each turn."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": words(60, "system")}]
    turns = []
    for turn in range(6):
        messages.append({"role": "user", "content": words(40 + 30 * turn, "user" + "abcdef"[turn])})
        turns.append({"model": "gpt-4o", "messages": list(messages)})
        messages.append({"role": "assistant", "content": None, "tool_calls": []})
        messages.append(
            {"role": "tool", "content": [{"type": "text", "text": words(50, "tool" + "abcdef"[turn])}]}
        )
        turns.append({"model": "gpt-4o", "messages": list(messages)})
        messages.append({"role": "assistant", "content": f"answer {turn}"})
    return turns


def _check(
    upstream: FakeUpstream,
    turns: list[dict[str, Any]],
    serve: Callable[[int], Laconic],
    *,
    must_save: bool = True,
) -> None:
    """Send the turns; what goes up on each must extend what went up before."""
    sent: list[bytes] = []
    saved = 0
    for number, request in enumerate(turns[:_TURNS]):
        answer = chat(serve(number), json.dumps(request, ensure_ascii=False).encode())
        assert answer.status == 200
        saved += int(answer.headers["x-laconic-saved-tokens"])
        sent.append(upstream.requests[-1].body)
    for before, after in pairwise(sent):
        assert after.startswith(_up_to_the_last_message(before))
    assert saved > 0 or not must_save


def _up_to_the_last_message(body: bytes) -> bytes:
    """The body without the bracket that closes the list of messages, and what follows."""
    source = body.decode()
    opening = source.index("[", source.index('"messages"'))
    _, end = json.JSONDecoder().raw_decode(source, opening)
    return source[: end - 1].encode()


@pytest.fixture(params=["invented", *TRAFFIC])
def turns(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """One growing conversation, invented or real."""
    if request.param == "invented":
        return _invented()
    longest = max(conversations(request.param, 40), key=lambda turns: (len(turns) <= 2 * _TURNS, len(turns)))
    return longest


def test_a_growing_conversation(
    upstream: FakeUpstream, compressor: EverySecondWord, turns: list[dict[str, Any]]
) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        _check(upstream, turns, lambda _: laconic)


def test_with_an_empty_memory_on_every_turn(
    upstream: FakeUpstream, compressor: EverySecondWord, turns: list[dict[str, Any]], tmp_path: Path
) -> None:
    with Laconic(config(upstream.base_url, store=f"sqlite:///{tmp_path}/laconic.db")) as laconic:

        def forgetful(turn: int) -> Laconic:
            laconic.forget()
            if turn == 2:  # decided while the model was down, and remembered as such
                compressor.error = RuntimeError()
            if turn == 4:
                compressor.error = None
            return laconic

        _check(upstream, turns, forgetful, must_save=False)


def test_two_replicas_that_share_redis(
    upstream: FakeUpstream,
    compressor: EverySecondWord,
    redis_server: RedisServer,
    turns: list[dict[str, Any]],
) -> None:
    shared = config(upstream.base_url, store=redis_server.url)
    with Laconic(shared) as one, Laconic(shared) as other:

        def in_turn(turn: int) -> Laconic:
            compressor.error = RuntimeError() if turn % 3 == 1 else None
            return (one, other)[turn % 2]

        _check(upstream, turns, in_turn, must_save=False)


def test_redis_killed_and_restarted_on_the_way(
    upstream: FakeUpstream,
    compressor: EverySecondWord,
    redis_server: RedisServer,
    turns: list[dict[str, Any]],
) -> None:
    with Laconic(config(upstream.base_url, store=redis_server.url)) as laconic:

        def through_trouble(turn: int) -> Laconic:
            if turn == 2:
                redis_server.kill()
            if turn == 3:
                compressor.error = RuntimeError()
            if turn == 4:
                redis_server.restart()
                compressor.error = None
            return laconic

        _check(upstream, turns, through_trouble, must_save=False)


def test_replicas_that_decide_at_the_same_time_send_the_same(
    upstream: FakeUpstream, compressor: EverySecondWord, redis_server: RedisServer
) -> None:
    shared = config(upstream.base_url, store=redis_server.url)
    text = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": words(200)}]}).encode()
    with Laconic(shared) as one, Laconic(shared) as other:
        compressor.error = RuntimeError()
        chat(one, text)
        compressor.error = None
        chat(other, text)
        other.forget()
        chat(other, text)
        assert len({request.body for request in upstream.requests}) == 1
        assert metric(other.origin, "laconic_store_operations_total", store="redis", result="hit") >= 1


def _asked(upstream: FakeUpstream, **fields: Any) -> Config:
    """A configuration whose decisions depend on questions and documents."""
    return config(
        upstream.base_url,
        compressors={"default": {"method": "longllmlingua", "device": "cpu"}},
        policy={"documents": {"split": "auto"}, "strategy": {"order": "sort"}},
        **fields,
    )


def test_a_growing_conversation_with_questions(
    upstream: FakeUpstream, compressor: EverySecondWord, turns: list[dict[str, Any]], tmp_path: Path
) -> None:
    with Laconic(_asked(upstream, store=f"sqlite:///{tmp_path}/laconic.db")) as laconic:

        def forgetful(turn: int) -> Laconic:
            if turn % 2:
                laconic.forget()
            return laconic

        _check(upstream, turns, forgetful)


def test_questions_are_those_of_the_texts_own_time(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    requests = _invented()
    with Laconic(_asked(upstream)) as laconic:
        for request in requests:
            chat(laconic, json.dumps(request).encode())
    asked = {job.text.split()[0]: job.question.split()[0] for job in compressor.jobs if job.question}
    assert len(asked) == 6
    assert all(tool.replace("tool", "user") == user for tool, user in asked.items())
