"""What holds of any text, and that whatever is dropped leaves a whole prompt."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.documents import find, find_in_group
from policies.rules import Documents
from tests.policies.documents.passages import AUTO, PASSAGES, QUESTION, bodies, check, documents, kept

_RULES = [
    AUTO,
    Documents.model_validate({"split": "paragraphs"}),
    Documents.model_validate({"split": "json_list"}),
    Documents.model_validate({"split": {"tags": ["document", "q"]}, "question": {"tag": "q"}}),
    Documents.model_validate(
        {"split": {"regex": r"Source \d(?P<title>.*)|<(q)>"}, "question": {"regex": ":(.*)"}}
    ),
]
_FRAGMENTS = [
    *PASSAGES, "word ", "\n", "\n\n", " ", "\r\n", "?", ":", "：", "---\n", "\n=====\n", "```\n", "~~~py\n",
    "# a\n", "## Context\n",
    "Context: ", "\nContext information is below.\n", "Use the following documents to answer.\n\n",
    "\nQuestion: ", "Answer:", "\nA: b",
    "Title: t\n", "page_label: 3\n", "Content: ", "[Excerpt]\n", "\n[1] ", "\n[2]: ",
    "\nDocument [1](Title: (a) b) ", "\nSource 2:\n",
    "\n--- Chunk 3 ---\n", "<document>", "</document>", "<document index='1'/>", "<doc_1>", "</doc_1>",
    "<title>", "</title>", "<source>",
    "</source>", "<q>", "</q>", '[{"text": "', '"}, {"text": "', '"}]', '{"results": [', "]}", "\\n",
    "\\u00e9", "\\", '"', "é", "질문: ",
]  # fmt: skip
_TEXTS = st.lists(st.sampled_from(_FRAGMENTS), max_size=40).map("".join)


@given(_TEXTS | st.text())
def test_what_is_found_lies_in_order_in_the_text(text: str) -> None:
    for rule in _RULES:
        found = find(text, rule)
        check(text, found)
        assert len(found.documents) != 1 or rule.split.shape is None


@given(st.lists(st.tuples(_TEXTS, st.sampled_from(["system", "user", "tool"])), max_size=4))
def test_a_group_is_read_text_by_text(messages: list[tuple[str, str]]) -> None:
    texts, roles = [text for text, _ in messages], [role for _, role in messages]
    for rule in _RULES:
        found = find_in_group(texts, roles, rule)
        for text, role, one in zip(texts, roles, found, strict=True):
            check(text, one)
            assert role != "tool" or one.question is None


_KEEP = st.sets(st.integers(0, 5), min_size=1)
_WORDS = st.text('ab \n"\\é<>[]{}:,`-#1', max_size=20).map(lambda word: word + PASSAGES[0])
_RECORD = st.fixed_dictionaries(
    {"id": st.integers(), "text": _WORDS},
    optional={
        "title": st.text(max_size=9),
        "meta": st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False) | st.none() | st.booleans()),
    },
)


@given(
    st.lists(_RECORD, min_size=2, max_size=6) | st.lists(_WORDS, min_size=2, max_size=6),
    st.sampled_from([None, 2]),
    st.booleans(),
    _KEEP,
)
def test_json_stays_json(records: list[object], indent: int | None, ascii_only: bool, keep: set[int]) -> None:
    keep = {number for number in keep if number < len(records)} or {0}
    data = {"found": len(records), "results": records}
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    found = find(text, AUTO)
    assert [json.loads(document) for document in documents(text)] == records
    left = [record for number, record in enumerate(records) if number in keep]
    assert json.loads(kept(text, found, keep)) == {"found": len(records), "results": left}


@given(st.lists(_WORDS, min_size=2, max_size=6))
def test_json_stays_json_whatever_is_dropped_of_bodies(words: list[str]) -> None:
    text = json.dumps([{"id": number, "text": word} for number, word in enumerate(words)])
    found = find(text, AUTO)
    heads = "".join(text[a:b] for document in found.documents for a, b in document.heads)
    assert [record["id"] for record in json.loads("[" + heads.replace("}{", "},{") + "]")] == list(
        range(len(words))
    )
    assert "\\" not in "".join(bodies(text, found))


@given(
    st.lists(st.text("ab \n<>/é", max_size=9), min_size=2, max_size=6),
    st.sampled_from(["", "\n", "\n\n---\n\n", ", "]),
    _KEEP,
)
def test_tags_stay_balanced(words: list[str], separator: str, keep: set[int]) -> None:
    elements = [
        f'<doc n="{n}"><title>T{n}</title>\n{PASSAGES[0]}{word}</doc>' for n, word in enumerate(words)
    ]
    text = f"<docs>{separator.join(elements)}</docs>\n\nQuestion: {QUESTION}"
    keep = {number for number in keep if number < len(elements)} or {0}
    left = kept(text, find(text, AUTO), keep)
    assert re.findall(r'<doc n="(\d)">', left) == [str(number) for number in sorted(keep)]
    assert left.count("<doc n") == left.count("</doc>") == left.count("<title>") == len(keep)
    assert left.startswith("<docs><doc ")
    assert left.endswith(f"</doc></docs>\n\nQuestion: {QUESTION}")


@given(st.permutations(range(6)), st.sampled_from(["Source {}: ", "[{}] ", "--- Chunk {} ---\n"]), _KEEP)
def test_marks_stay_with_their_documents(order: list[int], mark: str, keep: set[int]) -> None:
    if mark == "[{}] ":
        order = sorted(order)
    parts = [mark.format(number) + f"About {number}. {PASSAGES[1]}" for number in order]
    text = "\n\n---\n\n".join(parts) + f"\n\n---\n\nQuestion: {QUESTION}\nAnswer:"
    found = find(text, AUTO)
    assert documents(text) == parts
    left = kept(text, found, keep)
    for place, number in enumerate(order):
        assert (mark.format(number) + f"About {number}." in left) == (place in keep)
    assert left.count("---\n\n") == len(keep)


_UNITS = [
    "<document>", "</document>", "</document>\n<document>", "<doc a=", "<doc1><doc2>", "<source/>",
    "<document><title>", "<", "[1] a\n",
    "[1]\n[2]\n", "Document [1](", "Document [1]((a)", "Document 1: x\n", "Source 1:\nSource 2:\n",
    "Source 1: a?\n\n", "[", "{", "[{",
    '["', '{"a":', '{"text":"', '["a",', "[[],", "[1,", "\\", '["\\', '{"text": "aaaa"}\n', "-", "---\n",
    "=\n", "- - - ", "# a\n", "#",
    "**", "Context: \n", "Context:\n\nQuestion:\n", "Question: ", "Question: a\n", "Answer:\n", "A a a ",
    "a's ", "documents below ",
    "below are a a a a ", "following ", "here is a a a a ", "use context ", "question is as follows ", "以下",
    "다음", "```\n", "```a\n", "~~~\n",
    " ", "\n", " \n", "\t", "\r", "a_b: c\n", "Title: a\n", "Content: ", "Content: ---\n", "(",
]  # fmt: skip


@pytest.mark.parametrize("unit", _UNITS)
def test_a_long_text_of_anything_is_read_in_linear_time(unit: str) -> None:
    size = 2**15
    for before in (
        "",
        "Use the following documents to answer.\n\n",
        "Question: a\n\nContext:\n",
        "<document>",
    ):
        text = before + unit * (size // len(unit)) + f"\n\nQuestion: {QUESTION}"
        check(text, find(text, AUTO))
    for rule in _RULES[1:4]:
        check(text, find(text, rule))
