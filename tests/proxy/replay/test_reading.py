"""Recorded traffic in each of its shapes, and what is said of lines that can't be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.capture.line import Arrival, line
from proxy.capture.redaction import Redaction
from proxy.replay.conversations import PATH, Conversation, Recorded, Threads, times_s
from proxy.replay.reading import Traffic, TrafficError, read
from tests.proxy.replay.recordings import SECRET_WORD, turns, wrapped, write


def shape(traffic: Traffic) -> dict[str, list[int]]:
    """The number of messages of each request, by conversation."""
    return {
        each.name: [len(request.body["messages"]) for request in each.requests]
        for each in traffic.conversations
    }


@pytest.mark.parametrize("name", ["talks.jsonl", "talks.jsonl.gz"])
def test_rows_that_name_their_conversation(tmp_path: Path, name: str) -> None:
    rows = wrapped([turns("a", 3), turns("b", 2)])
    path = write(tmp_path / name, [rows[0], rows[3], rows[1], rows[4], rows[2]])
    traffic = read(path)
    assert traffic.name == "talks"
    assert shape(traffic) == {"talk-0": [2, 4, 6], "talk-1": [2, 4]}
    assert [request.turn for request in traffic.conversations[0].requests] == [0, 1, 2]


def test_bare_bodies_are_told_apart_by_their_messages(tmp_path: Path) -> None:
    a, b = turns("a", 3), turns("b", 2)
    traffic = read(write(tmp_path / "bodies.jsonl", [a[0], b[0], a[1], a[2], b[1], a[0]]))
    assert shape(traffic) == {"line 1": [2, 4, 6], "line 2": [2, 4], "line 6": [2]}


def test_a_capture(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "time": 1000.5 + 60 * number,
            "conversation": "c1",
            "path": "/rag/v1/chat/completions?x=1",
            "headers": {"x-team": "search"},
            "request": request,
        }
        for number, request in enumerate(turns("a", 2))
    ]
    rows.append(rows[0] | {"path": "/v1/embeddings", "request": {"input": "x"}})
    rows.append({key: value for key, value in rows[0].items() if key != "conversation"})
    traffic = read(write(tmp_path / "capture.jsonl", rows))
    assert shape(traffic) == {"c1": [2, 4], "line 4": [2]}
    assert traffic.left_out == 1
    first = traffic.conversations[0].requests[0]
    assert (first.path, first.headers) == ("/rag/v1/chat/completions?x=1", {"x-team": "search"})
    assert times_s(traffic.conversations[:1], 30) == [[1000.5, 1060.5]]


@pytest.mark.parametrize("redacted", [False, True])
def test_what_serve_captures_can_be_read(tmp_path: Path, redacted: bool) -> None:
    secret = b"of this capture"
    lines = [
        line(
            Arrival(
                1000.0 + number, PATH, {"x-laconic-mode": "on"}, "sha256:ab", json.dumps(request).encode()
            ),
            secret,
            Redaction(secret) if redacted else None,
        )
        for number, request in enumerate([*turns("a", 2), *turns("b", 2)])
    ]
    path = tmp_path / "capture.jsonl"
    path.write_bytes(b"".join(lines))
    traffic = read(path)
    assert list(shape(traffic).values()) == [[2, 4], [2, 4]]
    first, _ = traffic.conversations[0].requests
    assert (first.time_s, first.key, first.headers) == (1000.0, "sha256:ab", {"x-laconic-mode": "on"})


def test_a_limit_counts_conversations(tmp_path: Path) -> None:
    path = write(tmp_path / "talks.jsonl", wrapped([turns("a"), turns("b"), turns("c")]))
    assert list(shape(read(path, 2))) == ["talk-0", "talk-1"]
    assert read(path, 2).digest == read(path).digest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f'{{"messages": [{SECRET_WORD}', "not JSON: Expecting value at column"),
        ("[1]", "expected a JSON object, found list"),
        ('{"model": "gpt-4o"}', "messages: expected a list of messages, found nothing"),
        ('{"messages": []}', "messages: expected a list of messages, found an empty list"),
        ('{"request": 5}', "request: expected an object, found int"),
        ('{"request": {"messages": "x"}}', "request.messages: expected a list of messages, found str"),
        ('{"turn": "x", "request": {"messages": [1]}}', "turn: expected a whole number, found str"),
        ('{"time": "x", "request": {"messages": [1]}}', "time: expected seconds, found str"),
        ('{"headers": {"a": 1}, "request": {"messages": [1]}}', "headers: expected an object of texts"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_not_shown(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(turns("a")[0]) + "\n\n" + line + "\n")
    with pytest.raises(TrafficError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}:3: {message}")
    assert SECRET_WORD not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no chat requests"),
        (b"\xff\xfe", "not JSON lines in UTF-8"),
        (b"{}", "expected a list of messages"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(TrafficError, match=message):
        read(path)
    packed = path.rename(tmp_path / "bad.jsonl.gz")
    with pytest.raises(TrafficError, match=r"gzip|no chat requests"):
        read(packed)


def test_the_longest_history_wins() -> None:
    threads = Threads()
    assert threads.place(["a"], "1") == "1"
    assert threads.place(["a", "b"], "2") == "1"
    assert threads.place(["a"], "3") == "3"  # the same beginning again
    assert threads.place(["a", "b", "c"], "4") == "1"
    assert threads.place(["a", "c"], "5") == "3"
    assert threads.place(["d", "c"], "6") == "6"


def test_times_are_those_recorded_or_a_steady_beat() -> None:
    def conversation(*times: float | None) -> Conversation:
        return Conversation("t", "c", [Recorded(n, {}, time_s=time_s) for n, time_s in enumerate(times)])

    known, unknown, backwards = conversation(5, 7), conversation(None, None), conversation(9, 8)
    assert times_s([known, unknown, backwards, unknown], 10) == [[5, 7], [0, 10], [20, 30], [40, 50]]
