"""Answers under `recover: true`: texts read as in the source, everything else comes as the upstream sent it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from openai import OpenAI

import compressors
from compressors.recover import RecoveryStream
from tests.fakes import payloads
from tests.fakes.behaviours import EVENT_STREAM, JSON
from tests.fakes.compressor import EverySecondWord
from tests.fakes.exchange import Exchange, Header
from tests.fakes.laconic import Laconic, body, chat, config, metric
from tests.fakes.upstream import FakeUpstream

PROMPT = (
    "Ada Augusta Lovelace quickly published her notes with Charles the Babbage in London while living near Parliament "
    "and studied mathematics under Augustus DeMorgan for years until moving"
)  # every second word of it is sent
RUN = "Ada Lovelace published notes"
WHOLE = "Ada Augusta Lovelace quickly published her notes"
OTHER = "Charles Babbage London"
OTHER_WHOLE = "Charles the Babbage in London"

Behaviour = Callable[[Exchange], Awaitable[None]]


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    """One for all tests here."""
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture(scope="module")
def compressor() -> Iterator[EverySecondWord]:
    """Stands in for the model."""
    fake = EverySecondWord()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressors, "load", lambda *_args, **_options: fake)
        yield fake


@pytest.fixture(scope="module")
def laconic(upstream: FakeUpstream, compressor: EverySecondWord) -> Iterator[Laconic]:
    """A proxy that recovers."""
    with Laconic(config(upstream.base_url, policy={"recover": True})) as proxy:
        yield proxy


def answering(
    data: bytes, *headers: tuple[bytes, bytes], status: int = 200, kind: Header = JSON
) -> Behaviour:
    """An answer of a known length, byte for byte."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(status, data, [kind, *headers])

    return answer


def streaming(*events: bytes, size: int = 1 << 20) -> Behaviour:
    """A stream of these events, in pieces of `size` bytes, each on its own way."""

    async def stream(exchange: Exchange) -> None:
        await exchange.start(headers=[EVENT_STREAM])
        joined = b"".join(events)
        for start in range(0, len(joined), size):
            await exchange.write(joined[start : start + size])
            await asyncio.sleep(0)
        await exchange.finish()

    return stream


def event(delta: dict[str, Any], choice: int = 0, finish: str | None = None, **more: Any) -> bytes:
    """An event with one choice."""
    choices = [{"index": choice, "delta": delta, "finish_reason": finish}]
    return payloads.event({"id": "c", "object": "chat.completion.chunk", "choices": choices, **more})


def said(*pieces: str, choice: int = 0) -> list[bytes]:
    """Events that say `pieces`."""
    return [event({"content": piece}, choice) for piece in pieces]


def letters(text: str, size: int = 3) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def split(stream: bytes) -> list[bytes]:
    """The events of a stream."""
    return [part + b"\n\n" for part in stream.replace(b"\r\n", b"\n").split(b"\n\n") if part]


def contents(stream: bytes, choice: int = 0) -> str:
    """All that a choice says."""
    chunks = [json.loads(part[5:]) for part in split(stream) if part.startswith(b"data: {")]
    told = [c["delta"] for chunk in chunks for c in chunk.get("choices", ()) if c["index"] == choice]
    return "".join(delta.get("content") or "" for delta in told)


def without_text(stream: bytes) -> list[bytes]:
    return [part for part in split(stream) if b'"content"' not in part]


START = event({"role": "assistant", "content": ""})
END = event({}, finish="stop")
USAGE = payloads.event({"choices": [], "usage": {"total_tokens": 7}})


def streamed(laconic: Laconic, **more: Any) -> bytes:
    return chat(laconic, body(PROMPT, stream=True, **more)).body


SOURCE = (
    '{ "id":"x", "n": 1.10, "vendor":{"b":1,"a":"%(run)s"},"choices" : [{"index":0,"message":{"role":"assistant",'
    '"content": "\\u00ab%(text)s\\u00bb \\ud83e\\udd89\\n","refusal":null,"tool_calls":[{"id":"t","type":"function",'
    '"function":{"name":"f","arguments":"{\\"q\\": \\"%(run)s\\"}"}}]},"finish_reason":"stop"},'
    '{"index":1,"message":{"content":null,"refusal":"%(run)s"}}],"usage":{"total_tokens":12} }\n'
)


def test_only_the_text_of_an_answer_changes(upstream: FakeUpstream, laconic: Laconic) -> None:
    upstream.behaviour = answering((SOURCE % {"run": RUN, "text": RUN}).encode(), (b"x-own", b"1"))
    answer = chat(laconic, body(PROMPT))
    expected = (SOURCE % {"run": RUN, "text": WHOLE}).encode()
    expected = expected.replace(b"\\u00ab", "«".encode()).replace(b"\\u00bb", "»".encode())
    assert answer.body == expected.replace(b"\\ud83e\\udd89", "🦉".encode())
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-own"] == "1"


def test_the_sdk_reads_recovered_answers(upstream: FakeUpstream, laconic: Laconic) -> None:
    messages: Any = [{"role": "user", "content": PROMPT}]
    with OpenAI(base_url=laconic.base_url, api_key="x", max_retries=0) as client:
        upstream.behaviour = answering((SOURCE % {"run": RUN, "text": RUN}).encode())
        completion = client.chat.completions.create(model="m", messages=messages)
        assert completion.choices[0].message.content == f"«{WHOLE}» 🦉\n"
        upstream.behaviour = streaming(START, *said(*letters(f"So: {RUN}.")), END, payloads.DONE)
        stream = client.chat.completions.create(model="m", messages=messages, stream=True)
        told = [chunk.choices[0] for chunk in stream]
        assert "".join(choice.delta.content or "" for choice in told) == f"So: {WHOLE}."
        assert told[-1].finish_reason == "stop"


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_streams_in_pieces_of_any_size(
    upstream: FakeUpstream, laconic: Laconic, size: int, line_end: bytes
) -> None:
    text = f"naïve 语言 🦉: {RUN}, {OTHER}!"
    events = [b": ping\n\n", START, *said(*letters(text, 2)), END, USAGE, payloads.DONE]
    upstream.behaviour = streaming(*[e.replace(b"\n", line_end) for e in events], size=size)
    told = streamed(laconic)
    assert contents(told) == f"naïve 语言 🦉: {WHOLE}, {OTHER_WHOLE}!"
    assert without_text(told) == [b": ping\n\n", END, USAGE, payloads.DONE]
    assert told.count(line_end) == told.count(b"\n")


def test_events_that_say_nothing_to_recover_keep_their_bytes(
    upstream: FakeUpstream, laconic: Laconic
) -> None:
    events = [
        b'data:{"choices" :[{"index":0, "delta":{ "content":"caf\\u00e9 "}}], "n":1.10}\n\n',
        START,
        END,
    ]
    upstream.behaviour = streaming(
        *events, b"data: {broken\n\n", b"event: x\ndata: 1\ndata: 2\n\n", b"data: cut"
    )
    assert streamed(laconic) == b"".join(events) + b"data: {broken\n\nevent: x\ndata: 1\ndata: 2\n\ndata: cut"


@pytest.mark.parametrize(
    "other",
    [
        {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": RUN}}]},
        {"content": None, "refusal": RUN},
        {"content": None, "reasoning_content": RUN},
    ],
)
def test_what_is_no_text_is_never_touched_nor_overtaken(
    upstream: FakeUpstream, laconic: Laconic, other: dict[str, Any]
) -> None:
    between = event(other)
    upstream.behaviour = streaming(
        START, *said("Ada Lovelace"), between, *said(f"! {RUN}"), END, payloads.DONE
    )
    told = streamed(laconic)
    before, after = told.split(between)
    assert contents(before) == "Ada Lovelace"
    assert contents(after) == f"! {WHOLE}"


@pytest.mark.parametrize("last", [END, payloads.DONE, USAGE, b": ping\n\n", b""])
def test_what_was_held_back_comes_before_the_end(
    upstream: FakeUpstream, laconic: Laconic, last: bytes
) -> None:
    upstream.behaviour = streaming(START, *said("Ada Lovelace publ"), last)
    told = streamed(laconic)
    assert told.endswith(last)
    assert contents(told.removesuffix(last)) == "Ada Lovelace publ"


def test_a_finish_reason_beside_the_last_words(upstream: FakeUpstream, laconic: Laconic) -> None:
    upstream.behaviour = streaming(*said("Ada Lovelace publ"), event({"content": "ished"}, finish="stop"))
    *_, last = split(streamed(laconic))
    assert b'"stop"' in last
    assert contents(last).endswith("quickly published")


def test_choices_do_not_mix(upstream: FakeUpstream, laconic: Laconic) -> None:
    pairs = zip(said(*letters(RUN.ljust(40))), said(*letters(OTHER.ljust(40)), choice=1), strict=True)
    both = {"choices": [{"index": n, "delta": {"content": text}} for n, text in enumerate((RUN, OTHER))]}
    upstream.behaviour = streaming(
        *[e for pair in pairs for e in pair], END, event({}, 1, "stop"), payloads.event(both), payloads.DONE
    )
    told = streamed(laconic, n=2)
    assert contents(told) == WHOLE.ljust(len(WHOLE) + 40 - len(RUN)) + WHOLE
    assert contents(told, 1) == OTHER_WHOLE.ljust(len(OTHER_WHOLE) + 40 - len(OTHER)) + OTHER_WHOLE


@pytest.mark.parametrize(
    "asked",
    [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
        {"logprobs": True},
        {"modalities": ["text", "audio"], "audio": {"voice": "a", "format": "wav"}},
        {"guided_regex": ".*"},
    ],
)
def test_answers_of_a_given_form_are_left_alone(
    upstream: FakeUpstream, laconic: Laconic, asked: dict[str, Any]
) -> None:
    data = (SOURCE % {"run": RUN, "text": RUN}).encode()
    upstream.behaviour = answering(data)
    assert chat(laconic, body(PROMPT, **asked)).body == data
    events = [START, *said(RUN), END]
    upstream.behaviour = streaming(*events)
    assert streamed(laconic, **asked) == b"".join(events)


def test_plain_text_may_be_asked_for_by_name(upstream: FakeUpstream, laconic: Laconic) -> None:
    upstream.behaviour = streaming(*said(RUN))
    assert contents(streamed(laconic, response_format={"type": "text"}, logprobs=False)) == WHOLE


def test_without_recover_or_a_shortened_text_bytes_pass(upstream: FakeUpstream, laconic: Laconic) -> None:
    events = [START, *said(RUN), END]
    upstream.behaviour = streaming(*events)
    with Laconic(config(upstream.base_url)) as plain:
        assert streamed(plain) == b"".join(events)
    chat(laconic, body("too short", stream=True), accept_encoding="br")
    assert chat(laconic, body("too short", stream=True)).body == b"".join(events)
    assert upstream.requests[-2].header("accept-encoding") == "br"


def test_texts_that_were_sent_whole_count(upstream: FakeUpstream, laconic: Laconic) -> None:
    upstream.behaviour = streaming(*said(RUN))
    assert contents(chat(laconic, body(PROMPT, RUN, stream=True)).body) == RUN


def test_an_encoded_answer_is_not_asked_for_and_left_alone(upstream: FakeUpstream, laconic: Laconic) -> None:
    data = gzip.compress((SOURCE % {"run": RUN, "text": RUN}).encode())
    upstream.behaviour = answering(data, (b"content-encoding", b"gzip"))
    assert chat(laconic, body(PROMPT), accept_encoding="gzip, br").body == data
    assert upstream.requests[-1].header("accept-encoding") == "identity"


@pytest.mark.parametrize(
    ("status", "kind"), [(400, JSON), (503, EVENT_STREAM), (200, (b"content-type", b"text/plain"))]
)
def test_errors_and_other_types_are_left_alone(
    upstream: FakeUpstream, laconic: Laconic, status: int, kind: Header
) -> None:
    data = b"".join(said(RUN)) if kind == EVENT_STREAM else (SOURCE % {"run": RUN, "text": RUN}).encode()
    upstream.behaviour = answering(data, status=status, kind=kind)
    answer = chat(laconic, body(PROMPT))
    assert (answer.status, answer.body) == (status, data)


def test_a_stream_of_known_length_becomes_longer(upstream: FakeUpstream, laconic: Laconic) -> None:
    upstream.behaviour = answering(b"".join([*said(RUN), END]), kind=EVENT_STREAM)
    assert contents(streamed(laconic)) == WHOLE


@pytest.mark.parametrize("model", ["fake-error-429", "fake-empty", "fake-binary", "fake-redirect"])
def test_other_answers_are_left_alone(upstream: FakeUpstream, laconic: Laconic, model: str) -> None:
    with Laconic(config(upstream.base_url)) as plain:
        expected = chat(plain, body(PROMPT, model=model))
    answer = chat(laconic, body(PROMPT, model=model))
    assert (answer.status, answer.body) == (expected.status, expected.body)


@contextlib.contextmanager
def stream_of(laconic: Laconic) -> Iterator[http.client.HTTPResponse]:
    """An answer to read piece by piece."""
    connection = http.client.HTTPConnection("127.0.0.1", laconic.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", body(PROMPT, stream=True))
    yield connection.getresponse()
    connection.close()


def read_until(response: http.client.HTTPResponse, text: str) -> bytes:
    """The stream as far as it says `text`."""
    told = b""
    while text not in contents(told):
        told += response.read1(65536)
    return told


def test_a_pause_of_the_upstream_gives_out_what_was_held_back(
    upstream: FakeUpstream, laconic: Laconic
) -> None:
    go_on = threading.Event()

    async def pausing(exchange: Exchange) -> None:
        await exchange.start(headers=[EVENT_STREAM])
        await exchange.write(b"".join(said("Ada Lovelace publ")))
        await asyncio.to_thread(go_on.wait, 30)
        await exchange.write(b"".join([*said(f"ished. {RUN}"), END]))
        await exchange.finish()

    upstream.behaviour = pausing
    with stream_of(laconic) as response:
        told = read_until(response, "publ")
        assert contents(told) == "Ada Lovelace publ"
        go_on.set()
        assert contents(told + response.read()) == f"Ada Lovelace published. {WHOLE}"


def test_a_caller_that_hangs_up_closes_the_upstream(upstream: FakeUpstream, laconic: Laconic) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.start(headers=[EVENT_STREAM])
        while True:
            await exchange.write(said("Ada Lovelace ")[0])
            await asyncio.sleep(0.02)

    upstream.behaviour = endless
    gone = len(upstream.closed)
    with stream_of(laconic) as response:
        read_until(response, "Ada")
    assert upstream.wait_for_closed(gone + 1)


def test_a_stream_that_breaks_still_says_all_that_came(upstream: FakeUpstream, laconic: Laconic) -> None:
    go_on = threading.Event()

    async def breaking(exchange: Exchange) -> None:
        await exchange.start(headers=[EVENT_STREAM])
        await exchange.write(b"".join(said("Ada Lovelace publ")) + b"data: {")
        await asyncio.to_thread(go_on.wait, 30)
        exchange.close()

    upstream.behaviour = breaking
    with stream_of(laconic) as response:
        told = read_until(response, "Ada")
        go_on.set()
        *before, broken, last = split(told + response.read())
    assert contents(b"".join(before)) == "Ada Lovelace publ"
    assert broken == b"data: {\n\n"
    assert json.loads(last[5:])["error"]["code"] == "upstream_reset"


def test_a_completion_that_breaks_breaks_for_the_caller(upstream: FakeUpstream, laconic: Laconic) -> None:
    with pytest.raises(http.client.IncompleteRead) as caught:
        chat(laconic, body(PROMPT, model="fake-cut-body"))
    assert caught.value.partial.startswith(b'{"id": ')


def test_a_failure_of_recovery_relays_the_original(
    upstream: FakeUpstream, laconic: Laconic, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = RecoveryStream.feed

    def failing(self: RecoveryStream, text: str) -> str:
        if "publ" in text:
            raise RuntimeError("words of an answer")
        return feed(self, text)

    monkeypatch.setattr(RecoveryStream, "feed", failing)
    before = metric(laconic.origin, "laconic_failures_total", kind="recover")
    data = (SOURCE % {"run": RUN, "text": RUN}).encode()
    upstream.behaviour = answering(data)
    assert chat(laconic, body(PROMPT)).body == data
    upstream.behaviour = streaming(START, *said("Ada Love", "lace ", "published notes"), END, payloads.DONE)
    told = streamed(laconic)
    assert contents(told) == RUN
    assert told.endswith(b"".join([*said("published notes"), END, payloads.DONE]))
    assert metric(laconic.origin, "laconic_failures_total", kind="recover") == before + 2


def test_recovery_has_no_influence_on_what_is_remembered(
    upstream: FakeUpstream, compressor: EverySecondWord, tmp_path: Any
) -> None:
    before = len(compressor.jobs)
    for recover in (False, True):
        store = f"sqlite:///{tmp_path}/store.db"
        with Laconic(config(upstream.base_url, store=store, policy={"recover": recover})) as laconic:
            chat(laconic, body(PROMPT))
    assert len(compressor.jobs) == before + 1
