"""A conversation isn't shortened to where its provider would no longer cache it."""

from __future__ import annotations

import json
from typing import Any

from policies.config import Config
from policies.tokens import tokenizer
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, chat, config, words
from tests.fakes.upstream import FakeUpstream


def _served(upstream: FakeUpstream, **more: Any) -> Config:
    return config(upstream.base_url, policy={"keep_cacheable": True}, **more)


def _send(laconic: Laconic, *texts: str, model: str = "gpt-4o", **more: Any) -> dict[str, str]:
    messages = [{"role": "assistant" if place % 2 else "user", "content": t} for place, t in enumerate(texts)]
    answer = chat(laconic, json.dumps({"model": model, "messages": messages, **more}).encode())
    assert answer.status == 200
    return answer.headers


def test_short_conversations_go_as_they_came(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(_served(upstream)) as laconic:
        assert _send(laconic, words(60))["x-laconic-skipped"] == "cache_minimum=1"
    assert not compressor.jobs


def test_what_would_become_too_short_too(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(_served(upstream)) as laconic:
        headers = _send(laconic, words(600))
        assert int(headers["x-laconic-original-tokens"]) > 1024
        assert headers["x-laconic-skipped"] == "cache_minimum=1"
        later = _send(laconic, words(600), "yes", words(600, "more"))
    assert later["x-laconic-skipped"] == "cache_minimum=1, role=1"
    assert int(later["x-laconic-saved-tokens"]) > 400


def test_long_ones_are_shortened(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(_served(upstream)) as laconic:
        headers = _send(laconic, words(2000))
    assert "x-laconic-skipped" not in headers
    assert int(headers["x-laconic-sent-tokens"]) > 1024


def test_tools_count_as_well(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": words(2000)}}]
    with Laconic(_served(upstream)) as laconic:
        assert "x-laconic-skipped" not in _send(laconic, words(400), tools=tools)


def test_savings_below_two_steps_of_the_cache_are_given_up(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": words(2000)}}]
    with Laconic(_served(upstream)) as laconic:
        first = _send(laconic, words(60), tools=tools)
        later = _send(laconic, words(60), "yes", words(400, "more"), tools=tools)
    assert first["x-laconic-skipped"] == "cache_minimum=1"
    assert later["x-laconic-skipped"] == "cache_minimum=1, role=1"
    assert int(later["x-laconic-saved-tokens"]) >= 256


def test_the_smallest_savings_are_given_up_first(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    count, size = tokenizer("o200k_base").count, 100
    while sum(map(count, texts := [words(40, "a"), words(size, "b"), words(60, "c")])) < 1960:
        size += 5
    # Half of it would be sent: about fifty tokens too few.
    messages = [{"role": "user", "content": text} for text in texts]
    with Laconic(_served(upstream)) as laconic:
        chat(laconic, json.dumps({"model": "gpt-4o", "messages": messages}).encode())
    sent = [message["content"] for message in json.loads(upstream.requests[-1].body)["messages"]]
    assert [one == whole for one, whole in zip(sent, texts, strict=True)] == [True, False, False]


def test_it_does_not_matter_where_nothing_is_cached(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    models = {"own-*": {"input_usd_per_million": 1.0, "caching": "none"}}
    with Laconic(_served(upstream, models=models)) as laconic:
        assert int(_send(laconic, words(60), model="own-model")["x-laconic-saved-tokens"]) > 0
