"""Streams are relayed as they arrive, and neither side waits for one that has gone."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any

import pytest
from openai import APIError, OpenAI

from tests.fakes import payloads
from tests.fakes.exchange import Exchange
from tests.fakes.laconic import Laconic, body, chat, config, words
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("compressor")


@pytest.mark.parametrize("model", ["fake-normal", "fake-split"])
def test_the_bytes_of_a_stream_are_those_of_the_upstream(upstream: FakeUpstream, model: str) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body("hi", model=model, stream=True, stream_options={"include_usage": True}))
    events = payloads.events(upstream.requests[0])
    assert answer.headers["content-type"].startswith("text/event-stream")
    if model == "fake-normal":
        assert answer.body == b"".join(events)
    else:
        assert "naïve 语言 🦉" in answer.body.decode()
    assert b'"usage"' in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_the_first_event_is_not_held_back(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        connection = http.client.HTTPConnection("127.0.0.1", laconic.port, timeout=5)
        connection.request("POST", "/v1/chat/completions", body("hi", model="fake-stall-stream", stream=True))
        response = connection.getresponse()
        first = response.read1(65536)  # the upstream sends nothing more, ever
        assert first.startswith(b"data: ")
        connection.close()


@pytest.mark.parametrize("model", ["fake-endless", "fake-stall-stream", "fake-stall"])
def test_a_caller_that_hangs_up_closes_the_upstream_at_once(upstream: FakeUpstream, model: str) -> None:
    upstream.event_delay_s = 0.02
    with Laconic(config(upstream.base_url)) as laconic:
        connection = http.client.HTTPConnection("127.0.0.1", laconic.port, timeout=5)
        connection.request("POST", "/v1/chat/completions", body("hi", model=model, stream=True))
        upstream.wait_for_requests()
        if model != "fake-stall":
            connection.getresponse().read1(100)
        time.sleep(0.3)
        left_at = time.monotonic()
        assert connection.sock is not None
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
        (departure,) = upstream.wait_for_closed()
        assert departure.at - left_at < 0.2


def test_a_caller_that_hangs_up_at_once_is_noticed_too(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        connection = http.client.HTTPConnection("127.0.0.1", laconic.port, timeout=5)
        connection.request("POST", "/v1/chat/completions", body("hi", model="fake-stall", stream=True))
        upstream.wait_for_requests()
        left_at = time.monotonic()
        connection.close()
        (departure,) = upstream.wait_for_closed()
        assert departure.at - left_at < 0.2


def _read_stream(client: OpenAI, model: str) -> None:
    messages: Any = [{"role": "user", "content": "hi"}]
    list(client.chat.completions.create(model=model, messages=messages, stream=True))


@pytest.mark.parametrize("model", ["fake-cut-stream", "fake-reset-stream", "fake-garbage-stream"])
def test_a_stream_that_breaks_ends_with_one_error_event(upstream: FakeUpstream, model: str) -> None:
    with (
        Laconic(config(upstream.base_url)) as laconic,
        OpenAI(base_url=laconic.base_url, api_key="x", max_retries=0) as client,
        pytest.raises(APIError, match=r"closed the connection|not HTTP") as caught,
    ):
        _read_stream(client, model)
    assert caught.value.code in ("upstream_reset", "upstream_invalid_response")


@pytest.mark.parametrize("model", ["fake-cut-stream", "fake-cut-event"])
def test_the_error_event_stands_alone(upstream: FakeUpstream, model: str) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body("hi", model=model, stream=True))
    *before, last, end = answer.body.split(b"\n\n")  # a reset may overtake what was sent before it
    assert end == b""
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "upstream_reset"
    assert all(event.startswith(b"data: ") for event in before)


def test_a_silent_stream_ends_with_a_time_out(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url, upstream={"read_timeout_s": 0.3})) as laconic:
        answer = chat(laconic, body("hi", model="fake-stall-stream", stream=True))
    assert b'"upstream_timeout"' in answer.body


@pytest.mark.parametrize("model", ["fake-cut-body", "fake-stall-body"])
def test_another_body_that_breaks_breaks_for_the_caller(upstream: FakeUpstream, model: str) -> None:
    with (
        Laconic(config(upstream.base_url, upstream={"read_timeout_s": 0.3})) as laconic,
        pytest.raises(http.client.IncompleteRead),
    ):
        chat(laconic, body("hi", model=model))


def test_a_gzipped_stream_that_breaks_breaks_for_the_caller(upstream: FakeUpstream) -> None:
    async def broken(exchange: Exchange) -> None:
        await exchange.start(
            headers=[(b"content-type", b"text/event-stream"), (b"content-encoding", b"gzip")]
        )
        await exchange.write(b"\x1f\x8b\x08")
        exchange.close()

    upstream.behaviour = broken
    with Laconic(config(upstream.base_url)) as laconic, pytest.raises(http.client.IncompleteRead):
        chat(laconic, body("hi", stream=True))


def test_a_caller_that_hangs_up_during_compression_is_not_served(
    upstream: FakeUpstream, compressor: object
) -> None:
    gate = compressor.gate  # type: ignore[attr-defined]
    with Laconic(config(upstream.base_url)) as laconic:
        gate.clear()
        connection = http.client.HTTPConnection("127.0.0.1", laconic.port, timeout=5)
        connection.request("POST", "/v1/chat/completions", body(words(100)))
        while not compressor.jobs:  # type: ignore[attr-defined]
            time.sleep(0.01)
        connection.close()
        time.sleep(0.3)
        gate.set()
        time.sleep(0.2)
        assert not upstream.requests
