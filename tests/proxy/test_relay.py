"""What isn't a shortened text reaches the other side as it came, in both directions."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import zlib

import pytest

from tests.fakes import payloads
from tests.fakes.laconic import Laconic, body, chat, config, send, words
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("compressor")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/files?limit=2&order=a%20b&after=%2Fx"),
        ("DELETE", "/v1/files/file-1"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/a%2Fb/c%20d"),
    ],
)
def test_other_paths_pass_through_untouched(upstream: FakeUpstream, method: str, path: str) -> None:
    sent = b'{"model": "m", "input": "  1.10 "}' if method == "POST" else None
    with Laconic(config(upstream.base_url)) as laconic:
        answer = send(method, laconic.origin + path, sent, {"content-type": "application/json"})
    assert answer.status == 200
    (request,) = upstream.requests
    assert (request.method, request.target.decode(), request.body) == (method, path, sent or b"")


def test_a_multipart_upload_larger_than_any_buffer_is_streamed(upstream: FakeUpstream) -> None:
    content = payloads.binary()
    edge = b"--xx\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n"
    upload = edge + content + b"\r\n--xx--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=xx"}
    with Laconic(config(upstream.base_url, max_body_bytes=1000)) as laconic:
        answer = send("POST", laconic.base_url + "/files", upload, headers)
    assert answer.status == 200
    (request,) = upstream.requests
    assert hashlib.sha256(request.body).digest() == hashlib.sha256(upload).digest()
    assert request.header("content-type") == headers["content-type"]
    assert request.header("content-length") == str(len(upload))


def test_a_chunked_body_stays_chunked(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        connection = http.client.HTTPConnection("127.0.0.1", laconic.port)
        connection.request("POST", "/v1/audio", iter([b"a" * 10, b"b" * 10]), encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()
    assert upstream.requests[0].body == b"a" * 10 + b"b" * 10


def test_headers_are_kept_but_those_of_the_connection(upstream: FakeUpstream) -> None:
    sent = {
        "Authorization": "Bearer sk-caller",
        "OpenAI-Organization": "org-1",
        "X-Custom": "  spaced  value",
        "Accept": "*/*",
        "Connection": "keep-alive, x-secret-hop",
        "X-Secret-Hop": "1",
        "TE": "trailers",
        "x-laconic-mode": "on",
        "User-Agent": "",
    }
    with Laconic(config(upstream.base_url)) as laconic:
        send("POST", laconic.base_url + "/chat/completions", body("hi"), sent)
    received = {name.decode(): value.decode() for name, value in upstream.requests[0].headers}
    assert received["authorization"] == "Bearer sk-caller"
    assert received["openai-organization"] == "org-1"
    assert received["x-custom"].strip() == "spaced  value"
    assert received["accept-encoding"] == "identity"  # the test's client sends it
    assert not {"te", "x-secret-hop", "x-laconic-mode", "content-type"} & set(received)
    assert received["host"] == f"127.0.0.1:{upstream.port}"


def test_the_routes_own_key_replaces_the_callers(upstream: FakeUpstream) -> None:
    with Laconic(
        config(upstream.base_url, route={"api_key": "sk-own"}, upstream={"api_key": "sk-up"})
    ) as laconic:
        answer = chat(laconic, body("hi"), authorization="Bearer sk-caller")
    assert upstream.requests[0].header("authorization") == "Bearer sk-own"
    assert "sk-own" not in str(answer.headers)


def test_upstream_headers_come_back_twice_if_sent_twice(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        connection = http.client.HTTPConnection("127.0.0.1", laconic.port)
        connection.request("POST", "/v1/chat/completions", body("hi", model="fake-cookies"))
        response = connection.getresponse()
        assert response.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
        connection.close()


@pytest.mark.parametrize(
    ("model", "status"), [("fake-error-429", 429), ("fake-error-500", 500), ("fake-error-401", 401)]
)
def test_upstream_errors_pass_with_their_status_and_body(
    upstream: FakeUpstream, model: str, status: int
) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body("hi", model=model))
    assert answer.status == status
    assert answer.json() == payloads.error(status)
    if status == 429:
        assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("model", "status"), [("fake-empty", 204), ("fake-redirect", 307), ("fake-binary", 200)]
)
def test_answers_of_every_kind(upstream: FakeUpstream, model: str, status: int) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body("hi", model=model))
    assert answer.status == status
    if model == "fake-binary":
        assert answer.body == payloads.binary()
    if model == "fake-redirect":
        assert answer.headers["location"] == "http://elsewhere.invalid/v1/chat/completions"


def test_an_encoded_answer_stays_encoded(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, body("hi", model="fake-gzip"))
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["object"] == "chat.completion"


AWKWARD = (
    '{ "vendor_ext":{"b":1,"a":[0.10,1e-7,12345678901234567890,null,true]} ,"temperature" : 0.10,\n'
    '"logit_bias":{"50256":-100},"seed":98765432109876543210,"stop":null,"model":"gpt-4o","messages":['
    '{"role":"system","content":"be brief"},'
    '{"role":"user","name":"\\u00e9\\ud83d\\ude00","content":[{"type":"text","text":%s,'
    '"cache_control":{"type":"ephemeral"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},'
    '{"type":"input_audio","input_audio":{"data":"UklGR","format":"wav"}}]},'
    '{"role":"tool","content":null,"x":1.0}],"tools":[{"type":"function","function":{"name":"f",'
    '"parameters":{"type":"object","minimum":1.50}}}],"response_format":{"type":"json_object"}, "last":"\\/" }'
)


def test_all_but_the_text_is_byte_for_byte_the_same(upstream: FakeUpstream) -> None:
    text = words(100)
    sent = (AWKWARD % json.dumps(text)).encode()
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, sent)
    assert int(answer.headers["x-laconic-saved-tokens"]) > 0
    shorter = " ".join(text.split()[::2]) + " "
    assert upstream.requests[0].body == (AWKWARD % json.dumps(shorter)).encode()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_an_encoded_request_is_read_and_stays_encoded_if_nothing_changes(
    upstream: FakeUpstream, encoding: str
) -> None:
    def encoded(data: bytes) -> bytes:
        return gzip.compress(data, mtime=0) if encoding == "gzip" else zlib.compress(data)

    with Laconic(config(upstream.base_url)) as laconic:
        chat(laconic, encoded(body("too short")), content_encoding=encoding)
        chat(laconic, encoded(body(words(100))), content_encoding=encoding)
    short, long = upstream.requests
    assert (short.body, short.header("content-encoding")) == (encoded(body("too short")), encoding)
    assert long.header("content-encoding") is None
    assert len(json.loads(long.body)["messages"][0]["content"]) < len(words(100))


def test_an_encoding_that_is_not_read_passes_through(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        answer = chat(laconic, b"\x28\xb5\x2f\xfd", content_encoding="zstd")
    assert answer.headers["x-laconic-skipped"] == "content_encoding=1"
    assert upstream.requests[0].body == b"\x28\xb5\x2f\xfd"


def test_a_prefix_of_a_route_is_replaced_by_the_upstreams(upstream: FakeUpstream) -> None:
    with Laconic(config(upstream.base_url, route={"path": "/rag/v1"})) as laconic:
        for path in ("/rag/v1/chat/completions", "/rag/v1/models"):
            assert send("POST", laconic.origin + path, body("hi")).status == 200
        assert send("POST", laconic.base_url + "/chat/completions", body("hi")).code == "unknown_route"
    assert [r.target for r in upstream.requests] == [b"/v1/chat/completions", b"/v1/models"]
