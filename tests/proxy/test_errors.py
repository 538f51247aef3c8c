"""Every failure has a status and a code of its own, in OpenAI's error shape."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest

from proxy import errors
from tests.fakes.laconic import Laconic, body, chat, config, send, words
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("compressor")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"[]",
        b'{"messages": [}',
        b'{"a": 1} trailing',
        b"\xff\xfe",
        b'{"a": 01}',
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_malformed_json(upstream: FakeUpstream, sent: bytes) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, sent)
    assert (answer.status, answer.code) == (400, "malformed_json")
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert not upstream.requests


@pytest.mark.parametrize("kind", ["announced", "chunked", "bomb"])
def test_a_body_that_is_too_large(upstream: FakeUpstream, kind: str) -> None:
    large = body("x" * 5000)
    with Laconic(config(upstream.base_url, max_body_bytes=4000)) as laconic:
        url = laconic.base_url + "/chat/completions"
        if kind == "announced":
            answer = send("POST", url, large)
        elif kind == "bomb":
            answer = send("POST", url, gzip.compress(large), {"content-encoding": "gzip"})
        else:
            chunks = b"".join(
                b"%x\r\n%b\r\n" % (len(part), part) for part in (large[:3000], large[3000:], b"")
            )
            answer = send("POST", url, chunks, {"transfer-encoding": "chunked"})
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert not upstream.requests


@pytest.mark.parametrize("path", ["/", "/v2/chat/completions", "/v1x", "/v1/../admin", "/v1/%2e%2e/admin"])
def test_an_unknown_route(upstream: FakeUpstream, path: str) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = send("POST", laconic.origin + path, body("hi"))
    assert (answer.status, answer.code) == (404, "unknown_route")
    assert not upstream.requests


def test_a_bad_override(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url, route={"overrides": ["rate"]})) as laconic:
        answer = chat(laconic, body("hi"), x_laconic_rate="lots")
    assert (answer.status, answer.code) == (400, "invalid_override")
    assert "x-laconic-rate" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("fake-cut", 502, "upstream_reset"),
        ("fake-reset", 502, "upstream_reset"),
        ("fake-garbage", 502, "upstream_invalid_response"),
        ("fake-stall", 504, "upstream_timeout"),
    ],
)
def test_an_upstream_that_fails(upstream: FakeUpstream, model: str, status: int, code: str) -> None:
    with Laconic(config(upstream.base_url, upstream={"read_timeout_s": 0.3})) as laconic:
        answer = chat(laconic, body("hi", model=model))
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["x-laconic-request-id"]


def test_an_upstream_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Laconic(config(f"http://127.0.0.1:{port}/v1")) as laconic:
        answer = chat(laconic, body("hi"))
    assert (answer.status, answer.code) == (502, "upstream_refused")


def test_more_requests_than_allowed(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url, max_in_flight=1)) as laconic:
        slow = threading.Thread(target=chat, args=(laconic, body("hi", model="fake-slow")))
        slow.start()
        upstream.wait_for_requests()
        answer = chat(laconic, body("hi"))
        slow.join()
    assert (answer.status, answer.code) == (503, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1


def test_an_error_never_quotes_the_prompt(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, b'{"messages": [{"role": "user", "content": "my secret"}')
    assert b"secret" not in answer.body


def test_codes_and_statuses_are_distinct_and_documented_in_the_tree() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.LaconicError)
    ]
    leaves = [kind for kind in kinds if not kind.__subclasses__()]
    assert len({kind.code for kind in leaves}) == len(leaves)
    for kind in leaves:
        assert any(
            kind.__name__ in line and str(kind.status) in line and kind.code in line
            for line in str(errors.__doc__).splitlines()
        )


def test_a_request_of_the_largest_size_is_served(upstream: FakeUpstream) -> None:
    sent = body(words(100))
    with Laconic(config(upstream.base_url, max_body_bytes=len(sent))) as laconic:
        assert chat(laconic, sent).status == 200
