"""Whatever document and whatever rules: what stays is right, and reading it takes linear time."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.json_rules import json_sections
from policies.rules import JsonRule
from tests.fakes.json_documents import DOCUMENTS, KEYS, parsed, written
from tests.fakes.scissors import json_rules, marked, torn

RATE = json_rules({"key": "d", "rate": 0.4})
WORDS = "the bridge was closed again"


_RULE = st.one_of(
    st.fixed_dictionaries({"rate": st.sampled_from([0.1, 0.5, 1.0])}),
    st.just({"compress": False}),
    st.just({"remove": True}),
).flatmap(
    lambda measure: st.lists(
        st.sampled_from([*KEYS[:6], "*", "meta.*", "meta.d", "id.meta.d", "[!x]"]), min_size=1, max_size=3
    ).map(lambda keys: {"key": keys} | measure)
)


def _fits(path: tuple[str, ...], pattern: str) -> bool:
    glob = "".join(
        {"*": r"[^\0]*", ".": r"\0"}.get(part, part if part[0] == "[" else re.escape(part)).replace("!", "^")
        for part in re.findall(r"\[.*?\]|.", pattern, re.DOTALL)
    )
    flat = pattern == path[-1]
    return flat or re.search(rf"(?:^|\0){glob}\Z", "\0".join(path), re.DOTALL) is not None


def _assert_kept(
    before: Any, after: Any, rules: Sequence[JsonRule], path: tuple[str, ...], rate: bool
) -> None:
    """`after` is `before` without removed pairs, and with subsequences of the strings that have a rate."""
    if isinstance(before, list):
        assert isinstance(after, list)
        for old, new in zip(before, after, strict=True):
            _assert_kept(old, new, rules, path, rate)
    elif isinstance(before, tuple):
        assert isinstance(after, tuple)
        decided = [
            (key, old, next((r for r in rules if any(_fits((*path, key), p) for p in r.key)), None))
            for key, old in before
        ]
        staying = [(key, old, rule) for key, old, rule in decided if rule is None or not rule.remove]
        for (key, old, rule), (name, new) in zip(staying, after, strict=True):
            assert key == name
            if rule is not None and not rule.compress:
                assert old == new
            else:
                _assert_kept(old, new, rules, (*path, key), rule is not None)
    elif isinstance(before, str) and rate and not before.startswith("#"):
        rest = iter(before)
        assert all(character in rest for character in after)
    else:
        assert before == after
        assert type(before) is type(after)


@settings(max_examples=400, deadline=None)
@given(
    DOCUMENTS,
    st.lists(_RULE, min_size=1, max_size=4),
    st.randoms(),
)
def test_any_document_survives_anyjson_rules(
    document: Any, rules: list[dict[str, Any]], chance: random.Random
) -> None:
    text = written(document, chance)
    book = json_rules(*rules)
    result = torn(text, book, chance)
    _assert_kept(parsed(text), parsed(result), book, (), False)


_ESCAPE = re.compile(r"\\(?:u[\da-fA-F]{4}|.)")


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, st.randoms())
def test_no_escape_is_lost_in_what_stays(document: Any, chance: random.Random) -> None:
    text = f"Look at this: {written(document, chance)}\nand that"
    result = torn(text, json_rules({"key": "*", "rate": 0.4}), chance)
    assert _ESCAPE.findall(result) == _ESCAPE.findall(text)


@given(
    st.lists(st.sampled_from([*'{}[]",:\\ \n`|', '{"d": "a b"}', "```json\n", "```", "d", "1", "# "])).map(
        "".join
    )
)
def test_without_rules_that_fit_every_text_stays(text: str) -> None:
    sections = json_sections(text, json_rules({"key": "nowhere", "remove": True}))
    assert "".join(text[slice(*part.span)] for part in sections) == text


@pytest.mark.parametrize(
    "unit",
    [
        *[
            "{",
            "[",
            '{"d":',
            '[{"d":[',
            '"',
            "\\",
            "```json\n",
            '{"d": "a b"}\n',
            '{"d": "a b", "x": 1} and so on. ',
        ],
        *['{"d": "', "x = {'d': 'a b'}\n"],
    ],
)
def test_a_megabyte_of_anything_is_read(unit: str) -> None:
    text = unit * (2**20 // len(unit))
    sections = json_sections(text, (*RATE, *json_rules({"key": "x", "remove": True})))
    assert sections[0].span[0] == 0
    assert sections[-1].span[1] == len(text)


@pytest.mark.parametrize(
    "string", ["a b " * 2**18, r"a\u00e9b c " * 2**17, r"\n" * 2**19, r"\u00e9" * 2**18, "a" * 2**20]
)
def test_a_megabyte_in_one_string_is_read(string: str) -> None:
    text = f'{{"e": 1, "d": "{string}"}}'
    assert "".join(text[slice(*part.span)] for part in json_sections(text, RATE)) == text


def test_a_megabyte_of_pairs_is_read() -> None:
    text = json.dumps([{"d": WORDS, "x": {"y": [1, 2]}, "e": WORDS}] * 2**14)
    expected = json.dumps([{"d": f"‹{WORDS}›", "e": WORDS}] * 2**14, ensure_ascii=False)
    assert marked(text, (*RATE, *json_rules({"key": "x", "remove": True}))) == expected


@pytest.mark.parametrize(("depth", "read"), [(99, True), (101, False), (5_000, False), (200_000, False)])
def test_deep_nesting_stays_whole(depth: int, read: bool) -> None:
    text = "[" * (depth - 1) + '{"d": "a b"}' + "]" * (depth - 1)
    assert marked(text, RATE) == (text.replace("a b", "‹a b›") if read else text)
