"""Rules about keys: what of a JSON document may be shortened, what stays and what goes."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from pydantic import ValidationError

from policies.json_rules import json_sections
from policies.loading import ConfigError, load_config
from tests.fakes.scissors import json_rules, marked, torn

RATE = json_rules({"key": "d", "rate": 0.4})
_ESCAPE = re.compile(r"\\(?:u[\da-fA-F]{4}|.)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"d": "a b"}', '{"d": "‹a b›"}'),
        ('{"d": "a b", "e": "a b"}', '{"d": "‹a b›", "e": "a b"}'),
        ('{"d": ["a b", 1.10, "c d", ["e f"], null]}', '{"d": ["‹a b›", 1.10, "‹c d›", ["‹e f›"], null]}'),
        ('[{"d": "a b"}, {"e": {"d": "a b"}}]', '[{"d": "‹a b›"}, {"e": {"d": "‹a b›"}}]'),
        ('{"d": {"e": "a b"}}', '{"d": {"e": "a b"}}'),
        ('{"d": "a b", "d": "c d"}', '{"d": "‹a b›", "d": "‹c d›"}'),
        (r'{"\u0064": "a b"}', r'{"\u0064": "‹a b›"}'),
        ('{"d": "  a b  "}', '{"d": "  ‹a b›  "}'),
        ('{"d": "", "d": " ", "d": "word"}', '{"d": "", "d": " ", "d": "word"}'),
        ('["a b", ["c d"]]', '["a b", ["c d"]]'),
        (' {"d": "a b"}\n', ' {"d": "‹a b›"}\n'),
        ('{"d": "a b"}\n{"d": "c d"}\n', '{"d": "‹a b›"}\n{"d": "‹c d›"}\n'),
        ('See this: {"d": "a b"}. And now?', '‹See this:› {"d": "‹a b›"}‹. And now?›'),
        ("no data at all", "‹no data at all›"),
        ("", "‹›"),
        ('{"d": "今日は良い天気です"}', '{"d": "‹今日は良い天気です›"}'),
    ],
)
def test_only_strings_under_a_rate_may_be_shortened(text: str, expected: str) -> None:
    assert marked(text, RATE) == expected


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        (r"one two\nthree four", r"‹one two›\n‹three four›"),
        (r"one two\u000athree four", r"‹one two›\u000a‹three four›"),
        (r"one two \"three four\" five six", r"‹one two› \"three four\" ‹five six›"),
        (r"the old caf\u00e9s are here", r"‹the old› caf\u00e9s ‹are here›"),
        (r"one two \ud83d\ude00 three four", r"‹one two› \ud83d\ude00 ‹three four›"),
        (r"see also http:\/\/a.b\/c or that", r"‹see also› http:\/\/a.b\/c ‹or that›"),
        (r"lies in C:\\new\\tab or there", r"‹lies in› C:\\new\\tab ‹or there›"),
        (r"\u4f60\u597d", r"\u4f60\u597d"),
        (r"今日は\"良い\"天気です", r"‹今日は›\"‹良い›\"‹天気です›"),
        (r"now\nor\nnever", r"now\nor\nnever"),
    ],
)
def test_escapes_stay_whole_with_the_words_around_them(string: str, expected: str) -> None:
    assert marked(f'{{"d": "{string}"}}', RATE) == f'{{"d": "{expected}"}}'


@pytest.mark.parametrize(
    "text",
    [
        '{"d": "a b",}',
        '{"d": "a b", "e": NaN}',
        '{"d": "a b", "e": 01}',
        "{'d': 'a b', 'e': None}",
        '{"d": "a b", "e": (1, "c d")}',
        '{"d": "a\tb c"}',
        '{"d": "a \\x b"}',
        '{"d": "a b", "e": "c d", "f": "cut o',
    ],
)
def test_what_is_no_valid_json_stays_whole(text: str) -> None:
    assert marked(text, json_rules({"key": "*", "rate": 0.4}, {"key": "e", "remove": True})) == text


def test_a_rate_is_itsjson_rules() -> None:
    rules = json_rules({"key": ["a", "b"], "rate": 0.3}, {"key": "*", "rate": 0.8})
    text = 'Look at {"a": "x y", "b": "x y", "c": "x y"} here and there'
    assert [part.rate for part in json_sections(text, rules) if part.compress] == [None, 0.3, 0.3, 0.8, None]


@pytest.mark.parametrize(
    ("key", "path", "fits"),
    [
        ("d", "d", True),
        ("d", "a/d", True),
        ("d", "d/a", False),
        ("D", "d", False),
        ("n.d", "n/d", True),
        ("n.d", "a/n/d", True),
        ("n.d", "n/a/d", False),
        ("n.d", "d", False),
        ("n.*", "n/a", True),
        ("n.*", "n/a/b", False),
        ("n.*", "m/a", False),
        ("*.d", "n/d", True),
        ("*.d", "d", False),
        ("desc*", "description", True),
        ("note_?", "note_1", True),
        ("note_[12]", "note_3", False),
        ("n.d", "n.d", True),
        ("ключ", "ключ", True),
        ("*", "", True),
    ],
)
def test_a_key_is_a_glob_for_the_end_of_the_path(key: str, path: str, fits: bool) -> None:
    keys = path.split("/")
    text = "".join(f"[{{{json.dumps(name)}: " for name in keys) + '"a b"' + "}]" * len(keys)
    assert ("‹" in marked(text, json_rules({"key": key, "rate": 0.4}))) is fits


def test_the_first_rule_that_fits_decides() -> None:
    keep, rate = {"key": "id", "compress": False}, {"key": "*", "rate": 0.4}
    text = '{"id": "a b", "x": "a b"}'
    assert marked(text, json_rules(keep, rate)) == '{"id": "a b", "x": "‹a b›"}'
    assert marked(text, json_rules(rate, keep)) == '{"id": "‹a b›", "x": "‹a b›"}'


def test_what_is_left_alone_is_left_alone_with_all_keys_in_it() -> None:
    rules = json_rules(
        {"key": "x", "remove": True}, {"key": "k", "compress": False}, {"key": "*", "rate": 0.4}
    )
    text = '{"k": [{"d": "a b", "x": 1}], "d": "a b"}'
    assert marked(text, rules) == '{"k": [{"d": "a b", "x": 1}], "d": "‹a b›"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"x": 1}', "{}"),
        ('{ "x": 1, "y": {"x": 2} }', "{}"),
        ('{"x": 1, "b": 2}', '{"b": 2}'),
        ('{"a": 1, "x": 2, "b": 3}', '{"a": 1, "b": 3}'),
        ('{"a": 1, "x": 2}', '{"a": 1}'),
        ('{"a": 1 , "x": 2 , "y": 3 }', '{"a": 1  }'),
        ('{"x": 0, "a": 1, "y": 2, "x": {"a": [1]}, "b": 3, "x": "}"}', '{"a": 1, "b": 3}'),
        ('{\n  "a": 1,\n  "x": [\n    2\n  ],\n  "b": 3\n}', '{\n  "a": 1,\n  "b": 3\n}'),
        ('{\n  "a": 1,\n  "x": 2\n}', '{\n  "a": 1\n}'),
        ('{"a": {"x": 1}, "b": [{"x": 1}, {"x": 1, "c": 2}]}', '{"a": {}, "b": [{}, {"c": 2}]}'),
        ('[{"x": "it says, \\"a, b\\""}, 1]', "[{}, 1]"),
    ],
)
def test_a_removed_pair_takes_one_comma_with_it(text: str, expected: str) -> None:
    assert marked(text, json_rules({"key": ["x", "y"], "remove": True})) == expected


def test_nothing_in_a_removed_pair_remains() -> None:
    rules = json_rules({"key": "x", "remove": True}, {"key": "*", "rate": 0.4})
    assert marked('{"a": "b c", "x": {"d": "a b", "x": ["a b"]}}', rules) == '{"a": "‹b c›"}'


def test_numbers_keep_their_digits() -> None:
    text = '{"d": [1.10, 1e400, -0.0, 12345678901234567890, "a b"], "1.10": 0.10}'
    assert torn(text, json_rules({"key": "*", "rate": 0.1}), random.Random(1)).startswith(
        text[: text.index('"a')]
    )


def test_quotes_in_lists_stay_escaped() -> None:
    text = r"""{"d": ["it's \"here\" or there", "\"", "'or\\"]}"""
    for seed in range(50):
        items = json.loads(torn(text, RATE, random.Random(seed)))["d"]
        assert len(items) == 3
        assert '"here"' in items[0]
        assert items[1:] == ['"', "'or\\"]


def test_python_tuples_are_no_json_and_stay() -> None:
    text = '{"d": ("a b", "c d")}'
    assert marked(text, RATE) == text


def test_unicode_escapes_stay_intact() -> None:
    text = r'{"d": "one two na\u00efve three \ud83d\ude00 four five \u4f60\u597d"}'
    for seed in range(50):
        result = torn(text, RATE, random.Random(seed))
        assert _ESCAPE.findall(result) == _ESCAPE.findall(text)
        assert "naïve" in json.loads(result)["d"]


def test_commas_within_values_stay() -> None:
    text = '{"a": "x,   y,, z", "d": "p q", "x": 1}'
    assert (
        marked(text, (*RATE, *json_rules({"key": "x", "remove": True})))
        == '{"a": "x,   y,, z", "d": "‹p q›"}'
    )


def test_angle_brackets_in_values_are_no_tags() -> None:
    assert (
        marked('{"d": "if a < b then </d>", "e": "<c d>"}', RATE)
        == '{"d": "‹if a < b then </d>›", "e": "<c d>"}'
    )


@pytest.mark.parametrize(
    "rule",
    [
        {"key": "d"},
        {"key": "d", "rate": 0},
        {"key": "d", "rate": 1.5},
        {"key": "d", "rate": 0.4, "compress": False},
        {"key": "d", "compress": False, "remove": True},
        {"key": "d", "compress": True},
        {"key": "d", "remove": False},
        {"key": "", "rate": 0.4},
        {"key": [], "rate": 0.4},
        {"rate": 0.4},
    ],
)
def test_a_rule_needs_a_key_and_one_measure(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        json_rules(rule)


def test_a_wrong_rule_is_named_with_its_line() -> None:
    text = (
        "upstreams: {a: {base_url: 'http://x/v1'}}\nroutes: [{name: r, upstream: a, policy: p}]\n"
        "policies:\n  p:\n    json_rules:\n      - {key: [a, b.*], rate: 0.4}\n      - {key: c, compress: true}\n"
    )
    with pytest.raises(
        ConfigError, match=r"x:7: policies\.p\.json_rules\.1: .*exactly one of rate, compress: false"
    ):
        load_config(text, "x", {})
    config = load_config(text.replace("compress: true", "remove: true"), "x", {})
    assert [rule.key for rule in config.policies["p"].json_rules] == [("a", "b.*"), ("c",)]
