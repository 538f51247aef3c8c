"""The fake upstream breaks what its behaviours say, seen by a plain socket and by the openai client."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import openai
import pytest

from tests.fakes.upstream import FakeUpstream

MESSAGES = [{"role": "user", "content": "Tell me what you saw."}]


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        yield running


@pytest.fixture
def client(upstream: FakeUpstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=upstream.base_url, api_key="sk-test", max_retries=0) as connected:
        yield connected


def connect(upstream: FakeUpstream, model: str, *, stream: bool = True) -> socket.socket:
    """A connection on which a request has been sent and nothing been read."""
    body = json.dumps({"model": model, "messages": MESSAGES, "stream": stream}).encode()
    head = f"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", upstream.port), timeout=5)
    connection.sendall(head.encode() + body)
    return connection


def read_all(connection: socket.socket) -> bytes:
    received = b""
    with connection:
        while piece := connection.recv(65536):
            received += piece
    return received


def test_the_client_understands_a_completion(upstream: FakeUpstream, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x" * 40}])
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 10
    facts = json.loads(answer.choices[0].message.content or "")
    assert facts["authorization"] == "Bearer sk-test"
    assert facts["body_bytes"] == len(upstream.requests[0].body)


@pytest.mark.parametrize("model", ["gpt-4o", "fake-split"])
def test_the_client_understands_a_stream_with_usage(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "x" * 40}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == 10
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert json.loads(text.removeprefix("naïve 语言 🦉"))["characters"] == 40


def test_the_client_understands_the_other_endpoints(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["fake-small", "fake-large"]
    assert len(client.embeddings.create(model="e", input=["a", "b"]).data[1].embedding) == 8
    assert client.files.create(file=b"\x00\xff" * 1000, purpose="assistants").bytes > 2000


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("error-401", openai.AuthenticationError),
        ("error-429", openai.RateLimitError),
        ("error-500", openai.InternalServerError),
    ],
)
def test_errors_are_those_of_the_api(
    upstream: FakeUpstream, client: openai.OpenAI, name: str, kind: type[openai.APIStatusError]
) -> None:
    upstream.behaviour = name
    with pytest.raises(kind) as caught:
        client.models.list()
    assert caught.value.response.headers.get("retry-after") == ("7" if name == "error-429" else None)


def test_a_cut_stream_ends_between_or_inside_of_events_and_without_a_last_chunk(
    upstream: FakeUpstream,
) -> None:
    at_boundary = read_all(connect(upstream, "fake-cut-stream"))
    assert at_boundary.count(b"data: ") == 2
    assert at_boundary.endswith(b"\n\n\r\n")
    in_event = read_all(connect(upstream, "fake-cut-event"))
    assert in_event.count(b"data: ") == 3
    assert not in_event.endswith(b"\n\n\r\n")


@pytest.mark.parametrize("name", ["reset", "reset-stream", "reset-event"])
def test_a_reset_is_a_reset(upstream: FakeUpstream, name: str) -> None:
    with pytest.raises(ConnectionResetError):
        read_all(connect(upstream, "fake-" + name))


def test_garbage_is_no_http(upstream: FakeUpstream) -> None:
    assert not read_all(connect(upstream, "fake-garbage")).startswith(b"HTTP")


@pytest.mark.parametrize("name", ["stall", "stall-stream", "stall-body", "endless"])
def test_a_client_that_leaves_is_noticed_at_once(upstream: FakeUpstream, name: str) -> None:
    upstream.event_delay_s = 0.01
    connection = connect(upstream, "fake-" + name, stream=name != "stall-body")
    upstream.wait_for_requests()
    time.sleep(0.05)
    assert upstream.closed == []
    left_at = time.monotonic()
    connection.close()
    (departure,) = upstream.wait_for_closed()
    assert departure.at - left_at < 0.2
    assert departure.request is upstream.requests[0]


def test_clients_that_stay_to_the_end_or_are_cut_off_have_not_left(upstream: FakeUpstream) -> None:
    for name in ("normal", "cut-stream", "reset-event", "cut", "until-close"):
        connection = connect(upstream, "fake-" + name)
        if name == "normal":
            connection.recv(100)
            time.sleep(0.05)
            connection.close()
        elif name == "reset-event":
            with pytest.raises(ConnectionResetError):
                read_all(connection)
        else:
            read_all(connection)
    time.sleep(0.05)
    assert upstream.closed == []


def test_requests_are_recorded_as_they_came(upstream: FakeUpstream) -> None:
    connect(upstream, "fake-normal").close()
    (request,) = upstream.wait_for_requests()
    assert request.method == "POST"
    assert request.target == b"/v1/chat/completions?a=b"
    assert request.headers == [(b"host", b"x"), (b"content-length", str(len(request.body)).encode())]


def test_a_stopped_upstream_refuses(upstream: FakeUpstream) -> None:
    stalled = connect(upstream, "fake-stall")
    upstream.wait_for_requests()
    upstream.stop()
    assert read_all(stalled) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", upstream.port), timeout=1)
