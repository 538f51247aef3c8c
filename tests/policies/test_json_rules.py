"""Rules about keys: what of a JSON document may be shortened, what stays and what goes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from policies.config import JsonRule
from policies.json_rules import json_sections
from policies.loading import ConfigError, load_config

RULES = TypeAdapter(tuple[JsonRule, ...])
WORDS = "the bridge was closed again"


def _rules(*rules: dict[str, Any]) -> tuple[JsonRule, ...]:
    return RULES.validate_python(rules)


RATE = _rules({"key": "d", "rate": 0.4})


def _marked(text: str, rules: Sequence[JsonRule] = RATE) -> str:
    """What remains of `text`, with ‹› around what may be shortened."""
    parts = [(text[slice(*part.span)], part.compress) for part in json_sections(text, rules)]
    return "".join(f"‹{content}›" if compress else content for content, compress in parts)


def _torn(text: str, rules: Sequence[JsonRule], chance: random.Random) -> str:
    """What remains of `text` once runs of characters went from all that may be shortened."""
    kept = []
    for part in json_sections(text, rules):
        content = text[slice(*part.span)]
        if part.compress:
            cuts = sorted(chance.choices(range(len(content) + 1), k=4))
            content = content[: cuts[0]] + content[cuts[1] : cuts[2]] + content[cuts[3] :]
        kept.append(content)
    return "".join(kept)


def _parsed(document: str) -> Any:
    """A document with objects as tuples of pairs and numbers as they were written."""
    return json.loads(
        document, object_pairs_hook=tuple, parse_int=lambda n: f"#{n}", parse_float=lambda n: f"#{n}"
    )


# --- cuts ---------------------------------------------------------------------------------------------------


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
    assert _marked(text) == expected


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
    assert _marked(f'{{"d": "{string}"}}') == f'{{"d": "{expected}"}}'


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
    assert _marked(text, _rules({"key": "*", "rate": 0.4}, {"key": "e", "remove": True})) == text


def test_a_rate_is_its_rules() -> None:
    rules = _rules({"key": ["a", "b"], "rate": 0.3}, {"key": "*", "rate": 0.8})
    text = 'Look at {"a": "x y", "b": "x y", "c": "x y"} here and there'
    assert [part.rate for part in json_sections(text, rules) if part.compress] == [None, 0.3, 0.3, 0.8, None]


# --- keys ---------------------------------------------------------------------------------------------------


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
    assert ("‹" in _marked(text, _rules({"key": key, "rate": 0.4}))) is fits


def test_the_first_rule_that_fits_decides() -> None:
    keep, rate = {"key": "id", "compress": False}, {"key": "*", "rate": 0.4}
    text = '{"id": "a b", "x": "a b"}'
    assert _marked(text, _rules(keep, rate)) == '{"id": "a b", "x": "‹a b›"}'
    assert _marked(text, _rules(rate, keep)) == '{"id": "‹a b›", "x": "‹a b›"}'


def test_what_is_left_alone_is_left_alone_with_all_keys_in_it() -> None:
    rules = _rules({"key": "x", "remove": True}, {"key": "k", "compress": False}, {"key": "*", "rate": 0.4})
    text = '{"k": [{"d": "a b", "x": 1}], "d": "a b"}'
    assert _marked(text, rules) == '{"k": [{"d": "a b", "x": 1}], "d": "‹a b›"}'


# --- removed pairs ------------------------------------------------------------------------------------------


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
    assert _marked(text, _rules({"key": ["x", "y"], "remove": True})) == expected


def test_nothing_in_a_removed_pair_remains() -> None:
    rules = _rules({"key": "x", "remove": True}, {"key": "*", "rate": 0.4})
    assert _marked('{"a": "b c", "x": {"d": "a b", "x": ["a b"]}}', rules) == '{"a": "‹b c›"}'


# --- where JSON stands --------------------------------------------------------------------------------------


def test_a_fence_of_json_stays_with_its_marks() -> None:
    text = 'Here it is:\n\n```json\n{"d": "a b", "x": 1}\n```\n\nand so on'
    assert _marked(text, (*RATE, *_rules({"key": "x", "remove": True}))) == (
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
    assert _marked(text) == f"‹{text}›"


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
    assert value.replace(WORDS, f"‹{WORDS}›") in _marked(before + value + after)


@pytest.mark.parametrize("indent", [None, 2])
def test_lines_of_json_are_data_however_they_look(indent: int | None) -> None:
    records = [{"id": n, "d": WORDS, "tags": [n] * 30, "meta": {"a": [], "b": {}}} for n in range(4)]
    text = "\n".join(json.dumps(record, indent=indent) for record in records)
    assert _marked(text) == text.replace(WORDS, f"‹{WORDS}›")


def test_two_fences_and_the_prose_between_them() -> None:
    text = '```json\n[{"d": "a b"}]\n```\nthen there is\n~~~\n{"d": "c d"}\n~~~\n'
    assert _marked(text) == '```json\n[{"d": "‹a b›"}]\n```\n‹then there is›\n~~~\n{"d": "‹c d›"}\n~~~\n'


# --- any document -------------------------------------------------------------------------------------------

_KEYS = ["d", "id", "meta", "n.d", "ключ", "d\n", '"', "x"]
_CHARACTERS = [*"ab \n\t\"\\/é😀今<>,:{}[]'\u2028\x7f", "the ", "old ", "word"]
_NUMBERS = ["0", "-0.0", "1.10", "1e400", "12345678901234567890", "1E-7", "0.1000", "9" * 5000]
_LEAVES = st.one_of(
    st.lists(st.sampled_from(_CHARACTERS), max_size=12).map("".join),
    st.text(max_size=8),
    st.sampled_from(_NUMBERS).map(lambda number: ("number", number)),
    st.sampled_from([True, False, None]),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.tuples(st.sampled_from(_KEYS), inner), max_size=5)
    return st.lists(inner, max_size=4) | pairs.map(lambda pairs: {"pairs": pairs})


_DOCUMENTS = _containers(st.recursive(_LEAVES, _containers, max_leaves=20))
_RULE = st.one_of(
    st.fixed_dictionaries({"rate": st.sampled_from([0.1, 0.5, 1.0])}),
    st.just({"compress": False}),
    st.just({"remove": True}),
).flatmap(
    lambda measure: st.lists(
        st.sampled_from([*_KEYS[:6], "*", "meta.*", "meta.d", "id.meta.d", "[!x]"]), min_size=1, max_size=3
    ).map(lambda keys: {"key": keys} | measure)
)


def _written(value: Any, chance: random.Random) -> str:
    """`value` as JSON, with white space and escapes by chance."""

    def blank() -> str:
        return chance.choice(["", "", " ", "\n  ", "\t"])

    def string(content: str) -> str:
        style = chance.randrange(3)
        if style == 2:
            return '"' + "".join(
                json.dumps(c)[1:-1] if chance.random() < 0.5 or c in '"\\' or c < " " else c for c in content
            ).replace("/", chance.choice(["/", r"\/"])) + '"'  # fmt: skip
        return json.dumps(content, ensure_ascii=style == 1)

    match value:
        case str():
            return string(value)
        case ("number", number):
            return str(number)
        case list():
            inner = ",".join(blank() + _written(item, chance) + blank() for item in value)
            return f"[{inner or blank()}]"
        case dict():
            pairs = [
                blank() + string(key) + blank() + ":" + blank() + _written(item, chance) + blank()
                for key, item in value["pairs"]
            ]
            return "{" + (",".join(pairs) or blank()) + "}"
        case _:
            return json.dumps(value)


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
    _DOCUMENTS,
    st.lists(_RULE, min_size=1, max_size=4),
    st.randoms(),
)
def test_any_document_survives_any_rules(
    document: Any, rules: list[dict[str, Any]], chance: random.Random
) -> None:
    text = _written(document, chance)
    book = _rules(*rules)
    result = _torn(text, book, chance)
    _assert_kept(_parsed(text), _parsed(result), book, (), False)


_ESCAPE = re.compile(r"\\(?:u[\da-fA-F]{4}|.)")


@settings(max_examples=200, deadline=None)
@given(_DOCUMENTS, st.randoms())
def test_no_escape_is_lost_in_what_stays(document: Any, chance: random.Random) -> None:
    text = f"Look at this: {_written(document, chance)}\nand that"
    result = _torn(text, _rules({"key": "*", "rate": 0.4}), chance)
    assert _ESCAPE.findall(result) == _ESCAPE.findall(text)


@given(
    st.lists(st.sampled_from([*'{}[]",:\\ \n`|', '{"d": "a b"}', "```json\n", "```", "d", "1", "# "])).map(
        "".join
    )
)
def test_without_rules_that_fit_every_text_stays(text: str) -> None:
    sections = json_sections(text, _rules({"key": "nowhere", "remove": True}))
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
    sections = json_sections(text, (*RATE, *_rules({"key": "x", "remove": True})))
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
    assert _marked(text, (*RATE, *_rules({"key": "x", "remove": True}))) == expected


@pytest.mark.parametrize(("depth", "read"), [(99, True), (101, False), (5_000, False), (200_000, False)])
def test_deep_nesting_stays_whole(depth: int, read: bool) -> None:
    text = "[" * (depth - 1) + '{"d": "a b"}' + "]" * (depth - 1)
    assert _marked(text) == (text.replace("a b", "‹a b›") if read else text)


# --- what the llmlingua package gets wrong ------------------------------------------------------------------


def test_numbers_keep_their_digits() -> None:
    text = '{"d": [1.10, 1e400, -0.0, 12345678901234567890, "a b"], "1.10": 0.10}'
    assert _torn(text, _rules({"key": "*", "rate": 0.1}), random.Random(1)).startswith(
        text[: text.index('"a')]
    )


def test_quotes_in_lists_stay_escaped() -> None:
    text = r"""{"d": ["it's \"here\" or there", "\"", "'or\\"]}"""
    for seed in range(50):
        items = json.loads(_torn(text, RATE, random.Random(seed)))["d"]
        assert len(items) == 3
        assert '"here"' in items[0]
        assert items[1:] == ['"', "'or\\"]


def test_python_tuples_are_no_json_and_stay() -> None:
    text = '{"d": ("a b", "c d")}'
    assert _marked(text) == text


def test_unicode_escapes_stay_intact() -> None:
    text = r'{"d": "one two na\u00efve three \ud83d\ude00 four five \u4f60\u597d"}'
    for seed in range(50):
        result = _torn(text, RATE, random.Random(seed))
        assert _ESCAPE.findall(result) == _ESCAPE.findall(text)
        assert "naïve" in json.loads(result)["d"]


def test_commas_within_values_stay() -> None:
    text = '{"a": "x,   y,, z", "d": "p q", "x": 1}'
    assert (
        _marked(text, (*RATE, *_rules({"key": "x", "remove": True}))) == '{"a": "x,   y,, z", "d": "‹p q›"}'
    )


def test_angle_brackets_in_values_are_no_tags() -> None:
    assert (
        _marked('{"d": "if a < b then </d>", "e": "<c d>"}') == '{"d": "‹if a < b then </d>›", "e": "<c d>"}'
    )


# --- configuration ------------------------------------------------------------------------------------------


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
        _rules(rule)


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
