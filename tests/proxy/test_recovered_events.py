"""Streams of events: cut anywhere they say the same, and nothing is held back beyond its time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressors.recover import Recovery
from proxy.recovered_events import HOLD_S, RecoveredEvents

SOURCE = "Ada Augusta Lovelace published notes"
RECOVERY = Recovery([(SOURCE, [(0, 4), (12, len(SOURCE))])])  # Ada Lovelace published notes


def event(*contents: str | None, line_end: str = "\n", ascii_only: bool = False, **more: Any) -> bytes:
    """An event in which choice i says the i-th of `contents`."""
    choices = [
        {"index": i, "delta": {"content": text} if text is not None else {}}
        for i, text in enumerate(contents)
    ]
    data = json.dumps({"choices": choices, **more}, ensure_ascii=ascii_only)
    return f"data: {data}{line_end}{line_end}".encode("utf-8", "surrogatepass")


def told(stream: bytes) -> list[str]:
    """What each of two choices says in all."""
    texts = ["", ""]
    for line in stream.decode().splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                texts[choice["index"]] += choice["delta"].get("content") or ""
    return texts


def passed(stream: bytes) -> list[bytes]:
    return [line for line in stream.split(b"\n") if b"content" not in line and line.strip()]


PIECES = st.sampled_from(
    ("Ada", " Lovelace", " Ada Love", "lace publ", "ished notes", " ", "é 语言 🦉\n", "```\n", "", None)
)
EVENTS = st.one_of(
    st.builds(event, PIECES, PIECES, line_end=st.sampled_from(("\n", "\r\n")), ascii_only=st.booleans()),
    st.sampled_from((b": ping\n\n", b"data: [DONE]\r\n\r\n", b"event: x\ndata: 1\n\n", event())),
)


@given(st.lists(EVENTS, max_size=12), st.lists(st.integers(0, 2000), max_size=12), st.binary(max_size=3))
def test_a_stream_cut_anywhere_says_the_same(events: list[bytes], cuts: list[int], rest: bytes) -> None:
    stream = b"".join(events) + rest.replace(b"\r", b"").replace(b"\n", b"")
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    pieces = [stream[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    whole = RecoveredEvents(RECOVERY).feed(stream, 0.0, last=True)
    cut = RecoveredEvents(RECOVERY)
    out = b"".join([*[cut.feed(piece, 0.0) for piece in pieces], cut.feed(b"", 0.0, last=True)])
    assert out == whole
    assert cut.deadline is None
    assert passed(whole) == passed(stream)
    if not rest:
        for before, after in zip(told(stream), told(whole), strict=True):
            assert after.replace("Augusta ", "") == before


def test_each_text_has_its_own_deadline() -> None:
    events = RecoveredEvents(RECOVERY)
    assert told(events.feed(event("Ada"), 1.0)) == ["Ada", ""]
    assert events.deadline is None
    assert told(events.feed(event(" Love"), 2.0)) == ["", ""]
    assert told(events.feed(event("lace publ"), 2.1)) == ["", ""]
    assert events.deadline == pytest.approx(2.0 + HOLD_S)
    assert told(events.feed(event("ished", " Ada"), 2.15)) == ["", " Ada"]
    assert told(events.feed(event(" notes", " Lovelace"), 2.18)) == [" Augusta Lovelace published notes", ""]
    assert events.deadline == pytest.approx(2.18 + HOLD_S)  # of the other choice
    assert events.expire(2.3) == b""
    assert told(events.expire(2.18 + HOLD_S)) == ["", " Lovelace"]
    assert events.deadline is None


def test_an_event_for_what_was_held_back_looks_like_the_last_one() -> None:
    events = RecoveredEvents(RECOVERY)
    events.feed(event("Ada Love", "x", id="c1", n=1.5), 0.0)
    assert events.expire(HOLD_S) == event(" Love", "", id="c1", n=1.5)


def test_halves_of_a_surrogate_pair_meet() -> None:
    stream = event("Ada \ud83e", ascii_only=True) + event("\udd89 Ada Lovelace published", ascii_only=True)
    text = told(RecoveredEvents(RECOVERY).feed(stream, 0.0, last=True))[0]
    assert text.encode("utf-16", "surrogatepass").decode("utf-16") == "Ada 🦉 Ada Augusta Lovelace published"


def test_an_endless_event_is_given_up() -> None:
    events = RecoveredEvents(RECOVERY)
    events.feed(event("Ada Love"), 0.0)
    with pytest.raises(ValueError, match="too large"):
        events.feed(b"data: " + b"x" * 2**20, 0.0)
    given_up = events.surrender()
    assert told(given_up)[0] == " Love"
    assert given_up.endswith(b"x" * 2**20)
