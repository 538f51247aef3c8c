"""Savings are told alike in headers, metrics and the ledger, beside what the upstream counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from policies.config import Config
from proxy.cli import main
from tests.fakes.laconic import Answer, Laconic, body, chat, config, metric, words
from tests.fakes.redis import RedisServer
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("compressor")


STREAMED: list[dict[str, Any]] = [
    {},
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": True}},
]


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/laconic.db"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


def stats(store: str, *options: str) -> dict[str, Any]:
    """What `laconic stats` tells of a store."""
    result = CliRunner().invoke(main, ["stats", "--store", store, "--json", *options])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def saved(answer: Answer) -> int:
    """What the answer's header says."""
    return int(answer.headers["x-laconic-saved-tokens"])


def _served(upstream: FakeUpstream, store: str, **policy: Any) -> Config:
    return config(upstream.base_url, store=store, policy=policy)


def test_headers_metrics_and_ledger_agree(upstream: FakeUpstream, store: str) -> None:
    with Laconic(_served(upstream, store)) as laconic:
        before = metric(laconic.origin, "laconic_saved_tokens_sum")
        answers = [chat(laconic, body(words(99), **more), authorization="Bearer sk-one") for more in STREAMED]
        assert metric(laconic.origin, "laconic_saved_tokens_sum") - before == sum(map(saved, answers))
    total = stats(store, "--by", "route")["total"]
    assert total["requests"] == 3
    assert total["saved_tokens"] == sum(map(saved, answers)) > 100
    assert total["original_tokens"] == sum(int(a.headers["x-laconic-original-tokens"]) for a in answers)
    assert total["usage_requests"] == 2
    assert total["usage_prompt_tokens"] > 0
    assert total["saved_usd"] == pytest.approx(total["saved_tokens"] * 2.5e-6, rel=0.01)


def test_old_texts_are_worth_what_reading_them_from_a_cache_costs(upstream: FakeUpstream, store: str) -> None:
    first = {"role": "user", "content": words(100)}
    turns = [[first], [first, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "no"}]]
    with Laconic(_served(upstream, store)) as laconic:
        answers = [
            chat(laconic, json.dumps({"model": "gpt-4o", "messages": messages}).encode())
            for messages in turns
        ]
    assert saved(answers[0]) == saved(answers[1]) > 0
    assert stats(store)["total"]["saved_usd"] == pytest.approx(
        saved(answers[0]) * (2.5e-6 + 1.25e-6), rel=0.01
    )


def test_callers_are_told_apart_by_a_hash(upstream: FakeUpstream, store: str) -> None:
    with Laconic(_served(upstream, store)) as laconic:
        for key in ("sk-one", "sk-two", "sk-two"):
            chat(laconic, body(words(100)), authorization=f"Bearer {key}")
    told = stats(store, "--by", "key")
    assert sorted(group["requests"] for group in told["groups"]) == [1, 2]
    assert "sk-" not in json.dumps(told)


def test_shadow_savings_are_not_savings(upstream: FakeUpstream, store: str) -> None:
    with Laconic(_served(upstream, store, mode="shadow")) as laconic:
        answer = chat(laconic, body(words(100)))
    assert upstream.requests[0].body == body(words(100))
    assert answer.status == 200
    total = stats(store)["total"]
    assert total["saved_tokens"] == 0
    assert total["shadow_saved_tokens"] > 30


@pytest.mark.parametrize("model", ["fake-error-500", "fake-cut"])
def test_what_was_not_answered_saved_nothing(upstream: FakeUpstream, store: str, model: str) -> None:
    with Laconic(_served(upstream, store)) as laconic:
        assert chat(laconic, body(words(100), model=model)).status >= 400
    assert stats(store)["total"]["requests"] == 0


def test_held_out_conversations_measure_the_saving(upstream: FakeUpstream, store: str) -> None:
    with Laconic(_served(upstream, store, holdout=0.5)) as laconic:
        for number in range(160):
            chat(
                laconic,
                body(
                    words(40 + number % 7, f"{'abcdefgh'[number % 8]}{'ijklmnopqrstuvwxyzab'[number // 8]}")
                ),
            )
    told = stats(store)
    assert told["total"]["requests"] == 160
    (measured,) = told["holdout"]
    assert measured["policy"] == "careful"
    low, high = measured["low"], measured["high"]
    assert low < measured["share"] < high
    assert 0.3 < measured["share"] < 0.7
