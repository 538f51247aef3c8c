"""A request's way: what is shortened, what the headers, metrics and logs say of it."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import pytest

from proxy.logs import JsonLines
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Answer, Laconic, body, chat, config, metric, send, words
from tests.fakes.upstream import FakeUpstream

LONG = words(100)


def _sent(upstream: FakeUpstream) -> list[Any]:
    return [message["content"] for message in upstream.requests[-1].json()["messages"]]


def test_headers_tell_what_was_done(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body(LONG, "short", words(80, "other")))
    headers = answer.headers
    assert headers["x-laconic-mode"] == "on; source=route:default"
    assert headers["x-laconic-policy"] == "careful"
    original, sent = int(headers["x-laconic-original-tokens"]), int(headers["x-laconic-sent-tokens"])
    assert original - sent == int(headers["x-laconic-saved-tokens"]) > 0
    assert float(headers["x-laconic-compress-ms"]) > 0
    assert headers["x-laconic-skipped"] == "too_short=1"
    assert len(headers["x-laconic-request-id"]) == 16
    assert _sent(upstream)[1] == "short"


def test_roles_that_no_rule_names_are_left(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    messages = [
        {"role": role, "content": LONG} for role in ("system", "developer", "user", "assistant", "tool")
    ]
    with Laconic(config(upstream.base_url, policy={"adopt": "all"})) as laconic:
        answer = chat(laconic, json.dumps({"model": "m", "messages": messages}).encode())
    assert [text == LONG for text in _sent(upstream)] == [True, True, False, True, False]
    assert answer.headers["x-laconic-skipped"] == "role=3"


def test_equal_texts_in_flight_are_shortened_once(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        chat(laconic, body(LONG, LONG))
        chat(laconic, body(LONG))
    assert len(compressor.jobs) == 1
    assert _sent(upstream)[0] != LONG


def test_callers_do_not_share_decisions_unless_the_route_says_so(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    for scope, jobs in (("caller", 2), ("route", 1)):
        compressor.jobs.clear()
        with Laconic(config(upstream.base_url, route={"scope": scope})) as laconic:
            for key in ("one", "two", "one"):
                chat(laconic, body(LONG), authorization=f"Bearer {key}")
        assert len(compressor.jobs) == jobs


def _ask(upstream: FakeUpstream, overrides: list[str], policy: dict[str, Any], **headers: str) -> Answer:
    with Laconic(config(upstream.base_url, route={"overrides": overrides}, policy=policy)) as laconic:
        return chat(laconic, body(LONG), **headers)


def test_a_request_may_switch_off(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    answer = _ask(upstream, ["mode"], {}, x_laconic_mode="off")
    assert answer.headers["x-laconic-mode"] == "off; source=header"
    assert "x-laconic-saved-tokens" not in answer.headers
    assert upstream.requests[0].body == body(LONG)


def test_a_request_may_ask_for_a_rate_within_bounds(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    _ask(upstream, ["rate"], {"min_rate": 0.4}, x_laconic_rate="0.1")
    _ask(upstream, ["rate"], {"min_rate": 0.4}, x_laconic_rate="0.6")
    _ask(upstream, [], {"min_rate": 0.4}, x_laconic_rate="0.6")
    assert [job.rate for job in compressor.jobs] == [0.4, 0.6, 0.5]


def test_shadow_sends_the_original_and_records_what_would_be_saved(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(config(upstream.base_url, policy={"mode": "shadow"})) as laconic:
        before = metric(laconic.origin, "laconic_saved_tokens_sum", mode="shadow")
        answer = chat(laconic, body(LONG))
        assert answer.headers["x-laconic-mode"] == "shadow; source=route:default"
        assert upstream.requests[0].body == body(LONG)
        until = time.monotonic() + 5
        while metric(laconic.origin, "laconic_saved_tokens_sum", mode="shadow") == before:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert compressor.jobs


def test_shadow_does_not_wait_for_the_model(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url, policy={"mode": "shadow"})) as laconic:
        compressor.gate.clear()
        request = threading.Thread(target=chat, args=(laconic, body(LONG)))
        request.start()
        upstream.wait_for_requests()  # arrives while the model hangs
        before = metric(laconic.origin, "laconic_saved_tokens_count", mode="shadow")
        request.join()
        time.sleep(0.2)
        compressor.gate.set()
        until = time.monotonic() + 5
        while metric(laconic.origin, "laconic_saved_tokens_count", mode="shadow") == before:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_tags_are_honoured_and_stripped(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    kept = "exactly these words stay here"
    text = f"{LONG}<laconic:keep>{kept}</laconic:keep><llmlingua, compress=False>{kept}</llmlingua>"
    with Laconic(config(upstream.base_url, route={"tags": True})) as laconic:
        answer = chat(laconic, body(text, "<laconic:keep>too short</laconic:keep>"))
        assert chat(laconic, body(text, "<laconic:keep>too short</laconic:keep>")).status == 200
    long, short = _sent(upstream)
    assert short == "too short"
    assert long.endswith(kept + kept)
    assert "<" not in long
    assert int(answer.headers["x-laconic-saved-tokens"]) > 0


def test_only_text_parts_are_touched(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    parts = [
        {"type": "text", "text": LONG},
        {"type": "image_url", "image_url": {"url": LONG}},
        {"type": "x", "text": LONG},
    ]
    with Laconic(config(upstream.base_url)) as laconic:
        chat(laconic, json.dumps({"messages": [{"role": "user", "content": parts}]}).encode())
    (content,) = _sent(upstream)
    assert len(content[0]["text"]) < len(LONG)
    assert content[1:] == parts[1:]


@pytest.mark.parametrize(
    "text", ["", " ", "\n" * 300, "\ud800" + LONG, LONG + " 语言 🦉 é", "x" * 300_000, " " * 1_000_000]
)
def test_unusual_texts(upstream: FakeUpstream, compressor: EverySecondWord, text: str) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body(text))
    assert answer.status == 200
    sent = _sent(upstream)[0]
    remaining = iter(text)
    assert all(character in remaining for character in sent)


def test_metrics_tell_the_same_as_headers(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        names = ("laconic_original_tokens_sum", "laconic_sent_tokens_sum", "laconic_saved_tokens_sum")
        labels = {"route": "default", "policy": "careful", "method": "llmlingua2", "model": "gpt-4o"}
        before = [metric(laconic.origin, name, **labels) for name in names]
        answer = chat(laconic, body(LONG))
        told = [int(answer.headers[f"x-laconic-{kind}-tokens"]) for kind in ("original", "sent", "saved")]
        for name, start, value in zip(names, before, told, strict=True):
            assert metric(laconic.origin, name, **labels) - start == value
        assert metric(laconic.origin, "laconic_compression_seconds_count", route="default") >= 1
        for stage in ("queue", "tokenize", "forward", "select", "render"):
            assert metric(laconic.origin, "laconic_stage_seconds_count", stage=stage) >= 1
        assert metric(laconic.origin, "laconic_upstream_first_byte_seconds_count", route="default") >= 1
        assert metric(laconic.origin, "laconic_requests_total", route="default", status="200") >= 1
        assert metric(laconic.origin, "laconic_in_flight") == 0


def test_callers_cannot_make_series_of_their_own(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        chat(laconic, body(LONG, model="sk-secret key\n"))
        exposition = send("GET", laconic.origin + "/metrics").body
    assert b"sk-secret" not in exposition
    assert b'model="other"' in exposition


def test_one_log_line_without_any_text_or_key(
    upstream: FakeUpstream, compressor: EverySecondWord, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "laconic"), Laconic(config(upstream.base_url)) as laconic:
        chat(laconic, body(LONG), authorization="Bearer sk-secret")
        compressor.error = RuntimeError(LONG)
        chat(laconic, body(words(90, "more")), authorization="Bearer sk-secret")
        time.sleep(0.05)
    lines = [JsonLines().format(record) for record in caplog.records]
    requests = [json.loads(line) for line in lines if json.loads(line)["event"] == "request"]
    served = [line for line in requests if line["method"] == "POST"]
    assert len(served) == 2
    assert served[0]["saved_tokens"] > 0
    assert (
        served[0].items()
        >= {"route": "default", "policy": "careful", "status": 200, "model": "gpt-4o"}.items()
    )
    assert served[1]["skipped"] == {"failed": 1}
    for line in lines:
        assert "wordak" not in line
        assert "sk-secret" not in line


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_tags_are_stripped_in_every_mode(
    upstream: FakeUpstream, compressor: EverySecondWord, mode: str
) -> None:
    route = {"tags": True, "overrides": ["mode"]}
    with Laconic(config(upstream.base_url, route=route)) as laconic:
        chat(laconic, body(f"<laconic:keep>{LONG}</laconic:keep>"), x_laconic_mode=mode)
    assert _sent(upstream) == [LONG]


def test_a_model_of_another_vocabulary_needs_no_download(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        assert int(chat(laconic, body(LONG, model="davinci")).headers["x-laconic-saved-tokens"]) > 0
