"""When something breaks, the original goes up, visibly, and the same bytes go up again on the next turn."""

from __future__ import annotations

import json
import threading

import pytest

from policies.config import Config
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, body, chat, config, metric, send, words
from tests.fakes.redis import RedisServer
from tests.fakes.upstream import FakeUpstream


def test_a_compressor_that_raises_leaves_the_text_now_and_later(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        compressor.error = RuntimeError("secret words of a prompt")
        first = chat(laconic, body(words(100)))
        compressor.error = None
        second = chat(laconic, body(words(100)))
        assert first.headers["x-laconic-skipped"] == "failed=1"
        assert second.headers["x-laconic-skipped"] == "failed=1"
        assert [r.body for r in upstream.requests] == [body(words(100))] * 2
        assert metric(laconic.origin, "laconic_failures_total", kind="failed") >= 1
        assert metric(laconic.origin, "laconic_skips_total", reason="failed") >= 2


def test_a_bad_job_does_not_cost_its_neighbours(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    shorten = compressor.compress

    def pick_at(jobs: list) -> list:  # type: ignore[type-arg]
        if any("poison" in job.text for job in jobs):
            raise RuntimeError
        return shorten(jobs)

    compressor.compress = pick_at  # type: ignore[method-assign, assignment]
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body(words(100), words(100, "poison")))
        assert answer.headers["x-laconic-skipped"] == "failed=1"
        assert int(answer.headers["x-laconic-saved-tokens"]) > 0


def test_a_missed_deadline_is_kept_even_when_the_result_comes_later(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(config(upstream.base_url, policy={"deadline_ms": 150})) as laconic:
        compressor.gate.clear()
        assert chat(laconic, body(words(100))).headers["x-laconic-skipped"] == "deadline=1"
        compressor.gate.set()
        assert chat(laconic, body(words(100))).headers["x-laconic-skipped"] == "deadline=1"
        assert [r.body for r in upstream.requests] == [body(words(100))] * 2
        assert "x-laconic-skipped" not in chat(laconic, body(words(100, "new"))).headers


def test_a_full_queue_turns_texts_away_at_once(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    compressors = {"default": {"max_queue_tokens": 1000}}
    with Laconic(config(upstream.base_url, compressors=compressors, policy={"deadline_ms": 5000})) as laconic:
        compressor.gate.clear()
        held = [threading.Thread(target=chat, args=(laconic, body(words(250, salt)))) for salt in ("a", "b")]
        for number, thread in enumerate(held):
            thread.start()
            upstream_idle = 0
            while (
                len(compressor.jobs) == 0 and upstream_idle < 500
            ):  # the first is with the model, not queued
                upstream_idle += 1
                threading.Event().wait(0.01)
            assert number == 0 or compressor.jobs
        answer = chat(laconic, body(words(400, "c")))
        assert answer.status == 200
        assert answer.headers["x-laconic-skipped"] == "overloaded=1"
        compressor.gate.set()
        for thread in held:
            thread.join()


def test_before_the_model_is_ready_texts_go_up_as_they_are(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = threading.Event()

    def load(*_: object, **__: object) -> EverySecondWord:
        loading.wait(30)
        return EverySecondWord()

    monkeypatch.setattr("compressors.load", load)
    with Laconic(config(upstream.base_url), wait=False) as laconic:
        assert send("GET", laconic.origin + "/healthz").status == 200
        assert send("GET", laconic.origin + "/readyz").status == 503
        assert chat(laconic, body(words(100))).headers["x-laconic-skipped"] == "not_ready=1"
        loading.set()
        laconic.wait_until_ready()
        assert chat(laconic, body(words(100))).headers["x-laconic-skipped"] == "not_ready=1"
        assert upstream.requests[0].body == upstream.requests[1].body == body(words(100))


def test_a_model_that_cannot_be_loaded_is_named_by_readyz(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> EverySecondWord:
        raise OSError("no such checkpoint")

    monkeypatch.setattr("compressors.load", load)
    with Laconic(config(upstream.base_url), wait=False) as laconic:
        assert chat(laconic, body(words(100))).status == 200
        answer = send("GET", laconic.origin + "/readyz")
        assert answer.status == 503
        assert "no such checkpoint" in answer.json()["waiting_for"][0]


def test_a_broken_guard_reverts_the_text(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    compressor.breaks_guards = True
    text = words(50) + " pay 1,240 EUR and not a cent more within 14 days, " + words(50, "x")
    with Laconic(config(upstream.base_url)) as laconic:
        before = metric(laconic.origin, "laconic_invariant_violations_total")
        answer = chat(laconic, body(text))
        assert answer.headers["x-laconic-skipped"] == "invariant=1"
        assert upstream.requests[0].body == body(text)
        assert metric(laconic.origin, "laconic_invariant_violations_total") > before


def test_a_policy_may_refuse_instead(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url, policy={"on_failure": "reject"})) as laconic:
        compressor.error = RuntimeError()
        refused = chat(laconic, body(words(100)))
        assert (refused.status, refused.code) == (503, "compression_unavailable")
        assert int(refused.headers["retry-after"]) > 0
        compressor.error = None
        assert int(chat(laconic, body(words(100))).headers["x-laconic-saved-tokens"]) > 0


def _overflowing(base_url: str, context_tokens: int | None) -> Config:
    facts = {} if context_tokens is None else {"*": {"context_tokens": context_tokens}}
    return config(base_url, policy={"on_failure": "forward_unless_overflow"}, models=facts)


@pytest.mark.parametrize(("context_tokens", "status"), [(100, 503), (100_000, 200), (None, 200)])
def test_a_policy_may_refuse_what_would_not_fit(
    upstream: FakeUpstream, compressor: EverySecondWord, context_tokens: int | None, status: int
) -> None:
    request = json.loads(body(words(100)))
    with Laconic(_overflowing(upstream.base_url, context_tokens)) as laconic:
        compressor.error = RuntimeError()
        answer = chat(laconic, json.dumps(request | {"model": "unheard-of"}).encode())
        assert answer.status == status
        if status == 503:
            assert answer.code == "compression_unavailable"
            assert f"don't fit the model's {context_tokens}" in answer.json()["error"]["message"]


def test_what_was_refused_is_tried_again_and_what_was_sent_is_not(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(_overflowing(upstream.base_url, 300)) as laconic:
        compressor.error = RuntimeError()
        assert chat(laconic, body(words(400))).status == 503
        assert chat(laconic, body(words(60))).status == 200
        compressor.error = None
        assert int(chat(laconic, body(words(400))).headers["x-laconic-saved-tokens"]) > 0
        assert chat(laconic, body(words(60))).headers["x-laconic-saved-tokens"] == "0"


def test_the_rest_of_the_request_needs_room_too(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": words(500)}}]
    with Laconic(_overflowing(upstream.base_url, 600)) as laconic:
        compressor.error = RuntimeError()
        assert chat(laconic, body(words(60))).status == 200
        assert chat(laconic, body(words(61), tools=tools)).status == 503


def test_an_image_is_not_counted_as_text(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    content = [{"type": "text", "text": words(60)}, image]
    request = {"model": "own", "messages": [{"role": "user", "content": content}]}
    with Laconic(_overflowing(upstream.base_url, 600)) as laconic:
        compressor.error = RuntimeError()
        assert chat(laconic, json.dumps(request).encode()).status == 200


@pytest.mark.parametrize("trouble", ["killed", "hangs"])
def test_a_store_that_is_down_is_a_miss(
    upstream: FakeUpstream, compressor: EverySecondWord, redis_server: RedisServer, trouble: str
) -> None:
    with Laconic(config(upstream.base_url, store=redis_server.url)) as laconic:
        if trouble == "killed":
            redis_server.kill()
        else:
            redis_server.hang()
        errors = metric(laconic.origin, "laconic_store_operations_total", store="redis", result="error")
        assert int(chat(laconic, body(words(100))).headers["x-laconic-saved-tokens"]) > 0
        assert (
            metric(laconic.origin, "laconic_store_operations_total", store="redis", result="error") > errors
        )
        if trouble == "hangs":
            redis_server.resume()


def test_a_pipeline_that_fails_forwards_the_original(
    upstream: FakeUpstream, compressor: EverySecondWord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with Laconic(config(upstream.base_url)) as laconic:
        monkeypatch.setattr("proxy.pipeline.work.plan_text", explode)
        answer = chat(laconic, body(words(100)))
        assert (answer.status, answer.headers["x-laconic-skipped"]) == (200, "failed=1")
        assert upstream.requests[0].body == body(words(100))
        assert metric(laconic.origin, "laconic_failures_total", kind="pipeline_ZeroDivisionError") == 1
