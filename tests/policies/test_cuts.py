"""Tags and rules for JSON in one text."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from policies.cuts import cut
from policies.rules import JsonRule
from policies.segments import sections, stripped

RULES = TypeAdapter(tuple[JsonRule, ...]).validate_python(
    [{"key": "d", "rate": 0.4}, {"key": "x", "remove": True}]
)


def _read(
    text: str, rules: Sequence[JsonRule] = RULES, *, tags: bool = True
) -> list[tuple[str, float | bool | None]]:
    parts = cut(text, tags=tags, rules=rules)
    return [(text[slice(*part.span)], part.rate if part.compress else False) for part in parts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("", None)]),
        ("<laconic:keep></laconic:keep>", []),
        ("a b", [("a b", None)]),
        ('{"d": "a b"}', [('{"d": "', False), ("a b", 0.4), ('"}', False)]),
        (
            'go on <llmlingua, rate=0.7>with it {"d": "a b"}</llmlingua> or not',
            [
                *[("go on ", None), ("with it", 0.7), (' {"d": "', False), ("a b", 0.7)],
                *[('"}', False), (" ", False), ("or not", None)],
            ],
        ),
        (
            '{"d": "a b <laconic:keep>c d</laconic:keep> e f", "x": "<llmlingua>g h</llmlingua>"}',
            [('{"d": "', False), ("a b ", 0.4), ("c d", False), (" e f", 0.4), ('"', False), ("}", False)],
        ),
        (
            '<laconic:keep>{"d": "a b", "x": 1}</laconic:keep>',
            [('{"d": "', False), ("a b", False), ('"', False), ("}", False)],
        ),
        (
            '{<llmlingua, compress=False>"id": "a b",</llmlingua> <llmlingua, rate=0.2>"d": "a b"</llmlingua>}',
            [
                *[("{", False), ('"id": "a b",', False), (" ", False), ('"d": "', False), ("a b", 0.2)],
                *[('"', False), ("}", False)],
            ],
        ),
    ],
)  # fmt: skip
def test_tags_and_rules_hold_together(text: str, expected: list[Any]) -> None:
    assert _read(text) == expected


def test_tags_are_text_where_they_are_not_obeyed() -> None:
    text = '{"d": "a <laconic:keep>b</laconic:keep>"}'
    assert _read(text, tags=False) == [
        ('{"d": "', False),
        ("a <laconic:keep>b</laconic:keep>", 0.4),
        ('"}', False),
    ]


def test_without_rules_only_tags_count() -> None:
    text = '{"d": "a b"} <laconic:keep>c</laconic:keep>'
    assert cut(text, tags=True, rules=()) == sections(text)
    assert _read(text, (), tags=False) == [(text, None)]


def test_a_tag_in_the_middle_of_an_escape_leaves_it_whole() -> None:
    text = r'{"d": "a b\<laconic:keep></laconic:keep>n c d"}'
    kept = "".join(content for content, rate in _read(text) if rate is False)
    assert kept == r'{"d": "\n"}'.replace(r"\n", r"\n ")


def test_angle_brackets_and_text_outside_tags_are_not_lost() -> None:
    text = 'if a < b then <llmlingua, rate=0.5>x < y or <z></llmlingua> else {"d": "p < q or r"} > c'
    assert "".join(content for content, _ in _read(text)) == stripped(text)
    assert "else" in "".join(content for content, _ in _read(text))


@pytest.mark.parametrize("rate", ["0", "0.0", "-1"])
def test_a_rate_of_nought_leaves_the_rate_to_the_rule(rate: str) -> None:
    text = f'<llmlingua, rate={rate}>{{"d": "a b"}}</llmlingua>'
    assert ("a b", 0.4) in _read(text)


@pytest.mark.parametrize(
    "text", ['{"id": "a b", "d": "c d"}', '<llmlingua, compress=False>a b</llmlingua> {"d": "c d"}']
)
def test_what_must_stay_does_so_in_the_shortest_text(text: str) -> None:
    assert [content for content, rate in _read(text) if rate is not False] == ["c d"]


_PIECES = st.sampled_from(
    [
        *["<laconic:keep>", "</laconic:keep>", "<llmlingua, rate=0.3>", "<llmlingua, compress=False>", "</llmlingua>"],
        *['{"d": "a b', r" c\u00e9 \n d", '"}', '{"x": 1, "d": "', '", "e": ["', '"]}'],
        *["word and word ", "```json\n", "\n```\n"],
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=12).map("".join), st.randoms())
def test_what_is_cut_is_what_tags_leave_but_for_removed_pairs(text: str, chance: random.Random) -> None:
    parts = cut(text, tags=True, rules=RULES[:1])
    spans = [part.span for part in parts]
    assert spans == sorted(spans)
    assert "".join(text[slice(*span)] for span in spans) == stripped(text)
    kept = {index for part in parts if part.compress for index in range(*part.span)}
    assert kept <= {index for part in sections(text) if part.compress for index in range(*part.span)}


def test_json_with_tags_in_it_parses_when_they_are_gone() -> None:
    text = (
        '{"d": "one <llmlingua, rate=0.3>two three</llmlingua> four",'
        ' "x": [1, <laconic:keep>2</laconic:keep>], "e": 5}'
    )
    assert json.loads("".join(content for content, _ in _read(text))) == {"d": "one two three four", "e": 5}
