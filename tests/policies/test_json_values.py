"""Where JSON stands in a text, and where it is part of something else."""

from __future__ import annotations

import json

import pytest

from policies.json_rules import json_sections
from tests.fakes.scissors import json_rules, marked

RATE = json_rules({"key": "d", "rate": 0.4})
WORDS = "the bridge was closed again"


def test_a_fence_of_json_stays_with_its_marks() -> None:
    text = 'Here it is:\n\n```json\n{"d": "a b", "x": 1}\n```\n\nand so on'
    assert marked(text, (*RATE, *json_rules({"key": "x", "remove": True}))) == (
        '‹Here it is:›\n\n```json\n{"d": "‹a b›"}\n```\n\n‹and so on›'
    )


@pytest.mark.parametrize(
    "text",
    [
        'Run this:\n```python\nx = {"d": "a b"}\n```\nand then that',
        'Call:\nconst x = {"d": "a b"};\nsend(x, {"d": "c d"});',
        '| name | data |\n|---|---|\n| one | {"d": "a b"} |\n| two | {"d": "c d"} |',
        'Like `x = {"d": "a b"}` or so',
        '<pre>\n{"d": "a b"}\n</pre>',
    ],
)
def test_a_value_within_code_or_a_table_is_part_of_it(text: str) -> None:
    assert marked(text, RATE) == f"‹{text}›"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Here is the answer ", "."),
        ("$ curl -s http://localhost/x\n", "\n$ exit"),
        ("Call get_user(1) returned ", "\n"),
        ("<document>\n", "\n</document>"),
        ("event: data\ndata: ", "\n\n"),
    ],
)
def test_a_value_in_prose_is_data_however_its_lines_look(before: str, after: str) -> None:
    value = json.dumps({"id": 1, "d": WORDS, "tags": [{"a": 1}, {"b": 2}]}, indent=2)
    assert value.replace(WORDS, f"‹{WORDS}›") in marked(before + value + after, RATE)


@pytest.mark.parametrize("indent", [None, 2])
def test_lines_of_json_are_data_however_they_look(indent: int | None) -> None:
    records = [{"id": n, "d": WORDS, "tags": [n] * 30, "meta": {"a": [], "b": {}}} for n in range(4)]
    text = "\n".join(json.dumps(record, indent=indent) for record in records)
    assert marked(text, RATE) == text.replace(WORDS, f"‹{WORDS}›")


def test_two_fences_and_the_prose_between_them() -> None:
    text = '```json\n[{"d": "a b"}]\n```\nthen there is\n~~~\n{"d": "c d"}\n~~~\n'
    assert marked(text, RATE) == '```json\n[{"d": "‹a b›"}]\n```\n‹then there is›\n~~~\n{"d": "‹c d›"}\n~~~\n'


def test_a_value_in_a_terminal_is_data_where_it_is_all_of_an_answer() -> None:
    text = '$ cat a\n{"d": "a b"}\n$ cat b\nconst x = {"d": "c d"};\nsend(\n  {"d": "e f"}\n);\n$ exit\n'
    assert [text[slice(*part.span)] for part in json_sections(text, RATE) if part.rate] == ["a b"]
