"""Reading the upstream's usage from an answer's bytes, however they are cut and encoded."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.usage import Usage, UsageReader

JSON = "application/json; charset=utf-8"
EVENTS = "text/event-stream"
COUNTS = {"prompt_tokens": 1200, "completion_tokens": 34, "prompt_tokens_details": {"cached_tokens": 1024}}
USAGE = Usage(1200, 1024, 34)


def _answer(text: str = "Hello.", **more: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"id": "x", "choices": [{"message": message}], "usage": COUNTS, **more}).encode()


def _events(count: int = 20, *, end: str = "\n\n", usage: Any = COUNTS) -> bytes:
    """A stream as OpenAI sends it when the caller asked for the usage."""
    chunks: list[Any] = [{"choices": [{"delta": {"content": f"w{i} "}}], "usage": None} for i in range(count)]
    chunks.append({"choices": [], "usage": usage})
    return "".join(f"data: {part}{end}" for part in [*map(json.dumps, chunks), "[DONE]"]).encode()


def _read(data: bytes, kind: str, encoding: str = "", size: int = 10**9) -> Usage | None:
    reader = UsageReader(kind, encoding)
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader.usage()


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [(bytes, ""), (bytes, "identity"), (gzip.compress, "gzip"), (zlib.compress, "deflate")],
)
@pytest.mark.parametrize(
    ("data", "kind"), [(_answer(), JSON), (_events(), EVENTS), (_events(end="\r\n\r\n"), EVENTS)]
)
@pytest.mark.parametrize("size", [1, 7, 1000, 10**9])
def test_usage_is_found_however_the_answer_is_cut_and_encoded(
    data: bytes, kind: str, encode: Any, encoding: str, size: int
) -> None:
    assert _read(encode(data), kind, encoding, size) == USAGE


@pytest.mark.parametrize("place", ["first", "last"])
def test_usage_is_found_before_and_after_a_long_answer(place: str) -> None:
    long = {"choices": [{"message": {"content": "long " * 100_000}}]}
    body = {"usage": COUNTS, **long} if place == "first" else {**long, "usage": COUNTS}
    assert _read(json.dumps(body).encode(), JSON, size=4096) == USAGE


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 1}, Usage(9, 0, 1)),
        ({"prompt_tokens": 9, "completion_tokens": 1, "cache_read_input_tokens": 4}, Usage(9, 4, 1)),
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 5}, Usage(9, 5, 1)),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(9, 0, 0)),
        ({"prompt_tokens": 9, "completion_tokens": None}, Usage(9, 0, 0)),
        ({"total_tokens": 9}, None),
        ({"prompt_tokens": -1}, None),
        ({"prompt_tokens": True}, None),
        ({"prompt_tokens": 10**30}, None),
        ({"prompt_tokens": "9"}, None),
        ([1], None),
        (None, None),
    ],
)
def test_every_providers_words_are_understood_and_what_is_no_count_is_none(
    counts: object, expected: Usage | None
) -> None:
    assert _read(json.dumps({"usage": counts}).encode(), JSON) == expected
    assert _read(_events(usage=counts), EVENTS) == expected


def test_the_last_of_several_counts() -> None:
    parts = [{"usage": {"prompt_tokens": 9, "completion_tokens": i}} for i in range(1, 2000)]
    data = b"".join(b"data: " + json.dumps(part).encode() + b"\n\n" for part in parts)
    assert _read(data, EVENTS, size=100) == Usage(9, 0, 1999)


def test_an_answer_that_quotes_a_usage_is_not_believed() -> None:
    quoted = json.dumps({"usage": {"prompt_tokens": 1}})
    assert _read(_answer(f"It says {quoted}", usage=None), JSON) is None
    assert _read(_answer(f"It says {quoted}"), JSON) == USAGE


@pytest.mark.parametrize(
    ("kind", "encoding"), [(JSON, "br"), (JSON, "zstd"), (JSON, "gzip, gzip"), ("text/html", ""), ("", "")]
)
def test_what_is_not_read_has_no_usage(kind: str, encoding: str) -> None:
    assert _read(_answer(), kind, encoding) is None


def test_a_broken_answer_has_no_usage() -> None:
    assert _read(_answer()[:-20], JSON) is None
    assert _read(gzip.compress(_answer())[:40], JSON, "gzip") is None
    assert _read(b'{"usage":' * 1000, JSON) is None
    assert _read(b'{"usage":' + b'{"a":' * 800, JSON) is None


@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate"]), st.sampled_from([JSON, EVENTS]))
def test_no_bytes_raise(data: bytes, encoding: str, kind: str) -> None:
    assert _read(data, kind, encoding, 50) is None
    _read(b'{"usage":{"prompt_tokens":' + data, kind)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_memory_is_bounded(encoding: str) -> None:
    chunk = b"data: " + b"x" * 2**20 + b"\n\n"
    chunks = [gzip.compress(chunk * 20)] if encoding else [chunk] * 20
    reader = UsageReader(EVENTS, encoding)
    tracemalloc.start()
    try:
        for each in chunks:
            reader.feed(each)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now < 100_000
    assert peak < 4 * 2**20
