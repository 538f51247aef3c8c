"""Captured requests without their words: what must be gone, and what a replay needs of what remains."""

from __future__ import annotations

import json
import re
import string
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.documents import find_in_group
from policies.protection import KINDS, protect
from policies.rules import Documents
from policies.segments import sections
from policies.tokens import tokenizer
from proxy.capture.redaction import KEPT_WORDS, Redaction
from tests.conftest import conversations

KEY = b"a key for tests only, of 32 bytes"
REDACTION, SAME, OTHER = Redaction(KEY), Redaction(KEY), Redaction(KEY[::-1])
_WORD = re.compile(r"[^\W\d_]+")

PROSE = """\
Priya Lindqvist (priya.lindqvist@example.com, +46 70 123 45 67) doesn't know why the harbour project in Göteborg
isn't finished. "It costs 1,240,500 EUR," said Mr. O'Brien on 2024-05-15 at 14:30; see https://example.com/a/b?id=77.

1. Ask Priya's team about snake_case and camelCase in `/home/priya/notes.txt`.
2. Pay invoice INV-20931 [3].
"""
SECRETS = (
    "Priya",
    "Lindqvist",
    "example",
    "Göteborg",
    "Brien",
    "harbour",
    "notes",
    "INV",
    "1,240,500",
    "2024",
    "20931",
)

words = st.one_of(
    st.sampled_from(
        [
            "the",
            "of",
            "not",
            "Paris",
            "paris",
            "PARIS",
            "isn't",
            "Zoë's",
            "O'Brien",
            "1,240ms",
            "2024-05-15",
            "a@b.org",
            "snake_case",
            "北京",
            "Привет",
        ]
    ),
    st.text(string.ascii_letters, min_size=1, max_size=18),
    st.text(string.digits, min_size=1, max_size=6),
    st.text("ab\\\"'{}[]:,.()#<>/-_\n\té北ж가ก\u0301😀\ud800", max_size=6),
)
texts = st.lists(st.tuples(words, st.sampled_from([" ", "\n", "  ", "\n\n"])), max_size=30)
data: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        words,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text() | words, inner, max_size=4)
    ),
    max_leaves=20,
)


def _text(parts: list[tuple[str, str]]) -> str:
    return "".join(map("".join, parts))


def _shape(text: str) -> Any:
    """Kinds and places of the values in JSON, without what they say."""
    return _kinds(
        json.loads(text, object_pairs_hook=lambda pairs: {str(i): v for i, (_, v) in enumerate(pairs)})
    )


def _kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_kinds(item) for item in value]
    return float if type(value) is int else type(value)


def test_names_numbers_and_addresses_are_gone() -> None:
    redacted = REDACTION.text(PROSE)
    assert not [secret for secret in SECRETS if secret.lower() in redacted.lower()]
    assert "doesn't" in redacted
    assert "1. Ask"[:3] in redacted
    assert "[3]" in redacted


@given(texts)
@settings(max_examples=300, deadline=None)
def test_length_case_white_space_and_punctuation_stay(parts: list[tuple[str, str]]) -> None:
    text = _text(parts)
    redacted = REDACTION.text(text)
    assert len(redacted) == len(text)
    for old, new in zip(text, redacted, strict=True):
        assert old.isascii() == new.isascii()
        assert old.isnumeric() == new.isnumeric()
        assert old.isalpha() == new.isalpha()
        if old.isascii():
            assert old.isupper() == new.isupper()
        if not old.isalnum() and not old >= "\u0300":
            assert old == new


@given(texts)
@settings(max_examples=300, deadline=None)
def test_no_word_stays_where_it_was(parts: list[tuple[str, str]]) -> None:
    text = _text(parts)
    redacted = REDACTION.text(text)
    for match in _WORD.finditer(text):
        if len(match[0]) >= 4 and "\\" not in text and match[0].lower() not in KEPT_WORDS | {"isn"}:
            assert redacted[slice(*match.span())].lower() != match[0].lower()


@given(texts, st.integers(0, 30))
@settings(max_examples=300, deadline=None)
def test_a_text_that_goes_on_begins_as_before(parts: list[tuple[str, str]], most: int) -> None:
    assert REDACTION.text(_text(parts)).startswith(REDACTION.text(_text(parts[:most])))


@given(texts)
@settings(max_examples=100, deadline=None)
def test_another_worker_with_the_key_gives_the_same(parts: list[tuple[str, str]]) -> None:
    assert SAME.text(_text(parts)) == REDACTION.text(_text(parts))


def test_another_capture_gives_other_words() -> None:
    assert OTHER.text(PROSE) != REDACTION.text(PROSE)


@given(data, st.booleans(), st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_json_in_texts_is_json_of_the_same_shape(value: Any, ascii_only: bool, nested: int) -> None:
    inner = text = json.dumps(value, ensure_ascii=ascii_only)
    for _ in range(nested):
        text = json.dumps({"result": text}, ensure_ascii=ascii_only)
    redacted = REDACTION.text(text)
    assert len(redacted) == len(text)
    for _ in range(nested):
        redacted = json.loads(redacted)["result"]
    assert _shape(redacted) == _shape(inner)


def test_equal_words_stay_equal_whatever_their_case() -> None:
    old = ["harbour", "Harbour", "HARBOUR", "bridge", "the harbour's"]
    new = REDACTION.text(" ".join(old)).split()
    assert new[0] == new[1].lower() == new[2].lower() == new[5].removesuffix("'s")
    assert new[0] != new[3]
    assert new[1].istitle()
    assert new[2].isupper()


def test_escaped_characters_are_replaced_too() -> None:
    text = json.dumps({"city": "北京市朝阳区", "name": "Zoë"})
    redacted = REDACTION.text(text)
    assert not set("北京朝阳") & set("".join(json.loads(redacted).values()))
    assert "\\u" in redacted


def test_markup_that_a_route_may_obey_stays() -> None:
    text = "<laconic:keep>Paris</laconic:keep> <llmlingua, rate=0.3, compress=False>London</llmlingua>"
    spans = [(section.span, section.rate, section.compress) for section in sections(REDACTION.text(text))]
    assert spans == [(section.span, section.rate, section.compress) for section in sections(text)]


def test_blobs_keep_their_length_only() -> None:
    blob = "iVBORw0KGgo" * 40
    redacted = REDACTION.text(f"data:image/png;base64,{blob} and {'-' * 300}")
    assert "iVBORw0KGgo" not in redacted
    assert len(redacted) == len(blob) + len("data:image/png;base64, and ") + 300
    assert redacted.endswith("-" * 300)


def test_of_a_request_only_the_apis_own_words_stay() -> None:
    call = {
        "id": "call_lindqvist",
        "type": "function",
        "function": {"name": "find", "arguments": '{"who": "Lindqvist"}'},
    }
    request = {
        "model": "gpt-4o", "temperature": 0.25, "stream": True, "user": "lindqvist", "metadata": {"type": "lindqvist"},
        "stop": ["Lindqvist"], "prediction": {"type": "content", "content": "Lindqvist"},
        "tools": [{"type": "function", "function": {
            "name": "find", "description": "Finds Lindqvist.",
            "parameters": {"type": "object", "properties": {"who": {"type": "string", "enum": ["Lindqvist"]}}},
        }}],
        "messages": [
            {"role": "system", "content": "Answer for Lindqvist."},
            {"role": "user", "name": "lindqvist", "content": [
                {"type": "text", "text": "Who is Lindqvist?", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": "https://lindqvist.se/x.png", "detail": "low"}}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_lindqvist", "content": "Lindqvist \ud800"},
        ],
    }  # fmt: skip
    redacted = REDACTION.request(json.dumps(request).encode())
    assert b"lindqvist" not in redacted.lower()
    found = json.loads(redacted)
    assert (found["model"], found["temperature"], found["stream"]) == ("gpt-4o", 0.25, True)
    assert [message["role"] for message in found["messages"]] == ["system", "user", "assistant", "tool"]
    assert found["messages"][1]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert found["tools"][0]["function"]["parameters"]["type"] == "object"
    called = found["messages"][2]["tool_calls"][0]
    assert called["id"] == found["messages"][3]["tool_call_id"]
    assert called["function"]["name"] == found["tools"][0]["function"]["name"]
    assert list(json.loads(called["function"]["arguments"])) != ["Lindqvist"]


@pytest.mark.parametrize("name", ["agent_airline", "chat_sharegpt", "swe_agent"])
def test_real_conversations_stay_conversations_of_about_as_many_tokens(name: str) -> None:
    count = tokenizer("o200k_base").count
    tokens = [0, 0]
    for turns in conversations(name, 3):
        redacted = [json.loads(REDACTION.request(json.dumps(turn).encode()))["messages"] for turn in turns]
        for (before, after), (old_before, old_after) in zip(pairwise(redacted), pairwise(turns), strict=True):
            continues = old_after["messages"][: len(old_before["messages"])] == old_before["messages"]
            assert (after[: len(before)] == before) == continues
        for old, new in zip(turns[-1]["messages"], redacted[-1], strict=True):
            if isinstance(old["content"], str):
                tokens[0] += count(old["content"])
                tokens[1] += count(new["content"])
    assert 0.85 < tokens[1] / tokens[0] < 1.15


def test_documents_and_what_is_protected_are_found_again() -> None:
    passages = [
        f"Document [{n}](Title: Harbour {n}) The old harbour was opened by Maria in 19{n}1. " * 3
        for n in (1, 2, 3)
    ]
    text = "Use the documents.\n\n" + "\n".join(passages) + "\n\nQuestion: who opened it?\nAnswer:"
    redacted = REDACTION.text(text)
    spans = [
        [document.span for document in find_in_group([t], ["user"], Documents(split="auto"))[0].documents]
        for t in (text, redacted)
    ]
    assert spans[0] == spans[1]
    assert len(spans[0]) == 3
    share = [
        sum(end - start for found in (protect(t, KINDS),) for start, end in (*found.blocks, *found.inline))
        / len(t)
        for t in (PROSE, REDACTION.text(PROSE))
    ]
    assert abs(share[0] - share[1]) < 0.1
