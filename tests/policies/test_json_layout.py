"""JSON in fewer characters: what goes, what stays, and that nothing is lost."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressors import render
from policies.cuts import cut
from policies.groups import Setting, Text
from policies.json_rules import json_sections
from policies.plan import plan_text
from policies.policy import Policy
from policies.rules import JsonLayout, JsonRule
from policies.segments import sections, stripped
from policies.skip import Skip
from policies.tokens import tokenizer
from tests.conftest import conversations
from tests.fakes.json_documents import DOCUMENTS, parsed, written
from tests.fakes.scissors import json_rules
from tests.fakes.tabular import read_tabular

COUNTER = tokenizer("o200k_base")
RATE = json_rules({"key": "d", "rate": 0.4})


def _laid_out(text: str, layout: JsonLayout, *, tags: bool = False, rules: Sequence[JsonRule] = ()) -> str:
    return "".join(text[slice(*part.span)] for part in cut(text, tags=tags, rules=rules, layout=layout))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"a":1,"b":[1,2]}'),
        ('[\n  {\n    "a": " b : c, "\n  }\n]', '[{"a":" b : c, "}]'),
        (' {"a" : "x\\" ]",\r\n\t"b":{ } } \n', ' {"a":"x\\" ]","b":{}} \n'),
        ('{"a": 1e5, "a": -0.0, "\\u0061 b": 10000000000000001}', '{"a":1e5,"a":-0.0,"\\u0061 b":10000000000000001}'),
        ('{"今": "日\u2028本 é", "b": null}', '{"今":"日\u2028本 é","b":null}'),
        ('See: {"a": 1} and  [ {"b": 2} ], too.', 'See: {"a":1} and  [{"b":2}], too.'),
        ('It is:\n```json\n{\n  "a": [1,\n 2]\n}\n```\nand so  on', 'It is:\n```json\n{"a":[1,2]}\n```\nand so  on'),
        ('{"a": 1}\n{"a": 2}\n\n{"a": 3}\n', '{"a":1}\n{"a":2}\n\n{"a":3}\n'),
        ("no data  at all", "no data  at all"),
        ("", ""),
    ],
)  # fmt: skip
def test_compact_leaves_out_the_white_space_between_tokens(text: str, expected: str) -> None:
    assert _laid_out(text, "compact") == expected
    assert _laid_out(text, "as_is") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"id": 1, "p": {"x": 2}}, {"id": 3, "p": {"x": 4}}]', '[{"id":1,"p":{"x":2}},{3,{4}}]'),
        ('[[{"a": 1, "b": 2}, {"a": 3, "b": 4}], [{"a": 5, "b": 6}]]', '[[{"a":1,"b":2},{3,4}],[{5,6}]]'),
        ('{"r": [{"a": 1}, {"a": 2}], "s": [{"a": 3}, {"a": 4}]}', '{"r":[{"a":1},{2}],"s":[{"a":3},{4}]}'),
        ('[{"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 3}]}]', '[{"a":[{"b":1},{2}]},{[{3}]}]'),
        ('[{"a": 1}, {"b": 2}, {"b": 3}, {"a": 4}, {"a": 5}]', '[{"a":1},{"b":2},{3},{"a":4},{5}]'),
        ('[{"a": 1, "b": 2}, {"b": 3, "a": 4}]', '[{"a":1,"b":2},{"b":3,"a":4}]'),
        ('[{"a": 1}, null, {}, [], "a", {"a": 2}]', '[{"a":1},null,{},[],"a",{2}]'),
        ('[{"a": 1, "a": 2}, {"a": 3, "a": 4}, {"a": 5}]', '[{"a":1,"a":2},{3,4},{"a":5}]'),
        ('[{"p": null}, {"p": {"x": 1}}, {"p": {"x": 2}}]', '[{"p":null},{{"x":1}},{{2}}]'),
        ('{"a": {"x": 1}, "b": {"x": 2}}', '{"a":{"x":1},"b":{"x":2}}'),
        ('[{"a": 1}]', '[{"a":1}]'),
        ('{"a": 1}\n{"a": 2}\n', '{"a":1}\n{"a":2}\n'),
        ('[{"a": "{\\"a\\": 1}"}, {"a": "\\\\"}]', '[{"a":"{\\"a\\": 1}"},{"\\\\"}]'),
        ("[1, 2]", "[1,2]"),
    ],
)
def test_tabular_names_the_keys_of_like_objects_once(text: str, expected: str) -> None:
    assert _laid_out(text, "tabular") == expected
    if text.startswith(("{", "[")) and "\n" not in text:
        assert read_tabular(expected) == parsed(text)


def test_a_place_where_keys_vary_names_them_each_time() -> None:
    rows = [{"p": {"x": 1}}, {"p": {"y": 2}}, {"p": {"y": 3}}, {"p": {"x": 4}}]
    assert _laid_out(json.dumps(rows), "tabular") == '[{"p":{"x":1}},{{"y":2}},{{"y":3}},{{"x":4}}]'
    lists = [[{"x": 1}, {"x": 2}], [{"y": 3}, {"y": 4}], [{"y": 5}, {"y": 6}]]
    assert _laid_out(json.dumps(lists), "tabular") == '[[{"x":1},{2}],[{"y":3},{4}],[{"y":5},{6}]]'


def test_an_object_that_names_its_keys_begins_the_places_in_it_anew() -> None:
    rows: list[Any] = [{"p": {"x": 1}}, {"q": 1, "p": {"x": 2}}, {"q": 2, "p": {"x": 3}}]
    assert _laid_out(json.dumps(rows), "tabular") == '[{"p":{"x":1}},{"q":1,"p":{"x":2}},{2,{3}}]'


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"a": 2}, {"a":',
        "[{'a': 1}, {'a': None}]",
        '[{"a": 1}, {"a": NaN}]',
        '[{"a": 1}, {"a": 2},]',
        'Run\n```python\nx = [{"a": 1}, {"a": 2}]\n```\n',
        'Like `x = [{"a": 1}, {"a": 2}]` or so',
    ],
)
@pytest.mark.parametrize("layout", ["compact", "tabular"])
def test_what_is_no_valid_json_stays_as_it_is(text: str, layout: JsonLayout) -> None:
    assert _laid_out(text, layout) == text


@settings(max_examples=500, deadline=None)
@given(DOCUMENTS, st.randoms())
def test_compact_keeps_every_token_of_any_document(document: Any, chance: random.Random) -> None:
    text = written(document, chance)
    compact = _laid_out(text, "compact")
    assert parsed(compact) == parsed(text)
    assert re.sub(r'("(?:[^"\\]|\\.)*")|\s', r"\1", text) == compact


_NAMES = st.sampled_from(["a", "b", "", '"', ":", "é"])
_RECORDS = st.recursive(
    st.sampled_from([None, True, "a", "", ":", "{}", ("number", "-0.0"), ("number", "9" * 400)]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(st.tuples(_NAMES, inner), max_size=3).map(lambda pairs: {"pairs": pairs})
        | st.tuples(st.lists(_NAMES, max_size=3), st.lists(st.lists(inner, min_size=3, max_size=3), max_size=5)).map(
            lambda table: [{"pairs": list(zip(table[0], row, strict=False))} for row in table[1]]
        )
    ),
    max_leaves=40,
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(DOCUMENTS | _RECORDS.filter(lambda value: isinstance(value, (list, dict))), st.randoms())
def test_any_document_can_be_had_back_from_its_tabular_layout(document: Any, chance: random.Random) -> None:
    text = written(document, chance)
    tabular = _laid_out(text, "tabular")
    assert read_tabular(tabular) == parsed(text)
    assert len(tabular) <= len(_laid_out(text, "compact"))


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.randoms())
def test_the_layout_applies_to_what_rules_leave(document: Any, chance: random.Random) -> None:
    text = written(document, chance)
    rules = json_rules({"key": ["d", "meta"], "remove": True}, {"key": "*", "rate": 0.4})
    removed = _laid_out(text, "as_is", rules=rules)
    assert parsed(_laid_out(text, "compact", rules=rules)) == parsed(removed)
    assert read_tabular(_laid_out(text, "tabular", rules=rules)) == parsed(removed)


def test_strings_under_a_rate_may_be_shortened_in_any_layout() -> None:
    text = '[{"d": "a b ", "x": 1}, {"d": "c  d", "x": 2}]'
    rules = (*RATE, *json_rules({"key": "x", "remove": True}))
    parts = json_sections(text, rules, "tabular")
    assert [(text[slice(*part.span)], part.rate) for part in parts] == [
        *[('[{"d":', None), ('"', None), ("a b", 0.4), (' "', None), ("},", None), ("{", None), ('"', None)],
        *[("c  d", 0.4), ('"', None), ("}]", None)],
    ]


def test_touching_characters_of_a_value_make_one_section() -> None:
    text = '[{"a":1,"b":2},{"a":3,"b":4},\n[5]]'
    assert [text[slice(*part.span)] for part in cut(text, tags=False, layout="compact")] == [
        '[{"a":1,"b":2},{"a":3,"b":4},', "[5]]"
    ]  # fmt: skip
    assert len(cut('[{"a":1}]', tags=False, layout="tabular")) == 1


def test_json_that_a_tag_keeps_any_part_of_keeps_its_layout() -> None:
    text = '<laconic:keep>[{"a": 1},</laconic:keep> {"a": 2}] and [{"a": 1}, {"a": 2}]'
    assert _laid_out(text, "tabular", tags=True) == '[{"a": 1}, {"a": 2}] and [{"a":1},{2}]'
    rated = '[{"d": "a b"}, <llmlingua, rate=0.3>{"d": "c d"}</llmlingua>]'
    assert _laid_out(rated, "tabular", tags=True, rules=RATE) == '[{"d":"a b"},{"c d"}]'


_PARTS = st.sampled_from(
    [
        *["<laconic:keep>", "</laconic:keep>", "<llmlingua, rate=0.3>", "<llmlingua, compress=False>", "</llmlingua>"],
        *['[{"d": "a b"', ' , "x" : 1 }', ', {"d": "c d"', "]", " word and  word ", "```json\n", "\n```\n"],
    ]
)  # fmt: skip


@given(st.lists(_PARTS, max_size=14).map("".join), st.sampled_from(["compact", "tabular"]))
def test_what_tags_keep_is_never_touched(text: str, layout: JsonLayout) -> None:
    kept = [index for part in sections(text) if not part.compress for index in range(*part.span)]
    parts = cut(text, tags=True, layout=layout)
    assert set(kept) <= {index for part in parts for index in range(*part.span)}
    left = "".join(text[slice(*part.span)] for part in parts)
    assert re.sub(r'\s|"[dx]"\s*:', "", left) == re.sub(r'\s|"[dx]"\s*:', "", stripped(text))


RECORDS = [
    {"id": n, "name": f"the  item {n}", "size": {"w": n, "h": None}, "tags": ["a b"]} for n in range(40)
]


def _policy(**fields: Any) -> Policy:
    base = {"targets": [{"role": ["user", "tool"]}], "ranges": [{"rate": 0.5}], "min_saved_tokens": 5}
    return Policy.model_validate(base | fields)


@pytest.mark.parametrize("layout", ["compact", "tabular"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_text_of_data_alone_is_laid_out_though_nothing_in_it_may_be_dropped(
    layout: JsonLayout, indent: int | None
) -> None:
    text = json.dumps(RECORDS, indent=indent)
    plan = plan_text(Text("tool", text), _policy(json_layout=layout), COUNTER)
    sent = render(text, plan.whole)
    assert plan.skip is Skip.PROTECTED
    assert sent == _laid_out(text, layout)
    assert plan.expected_tokens == COUNTER.count(sent) < plan.original_tokens
    gone = (
        re.sub(r'"[a-z]+":', "", _difference(text, sent)) if layout == "tabular" else _difference(text, sent)
    )
    assert not gone.strip()


def _difference(text: str, sent: str) -> str:
    """What of `text` is missing in its subsequence `sent`, where each of `sent` comes as late as it can."""
    gone, at = [], len(sent)
    for character in reversed(text):
        if at and sent[at - 1] == character:
            at -= 1
        else:
            gone.append(character)
    assert at == 0
    return "".join(reversed(gone))


def test_a_text_that_is_too_short_for_the_policy_keeps_its_layout() -> None:
    text = json.dumps(RECORDS, indent=2)
    policy = _policy(json_layout="tabular", targets=[{"role": "tool", "min_tokens": 10**6}])
    for role in ("tool", "assistant"):
        assert plan_text(Text(role, text), policy, COUNTER).whole == ((0, len(text)),)


PROSE = "The committee met again in the small room and talked for a long while about the old bridge. "


@pytest.mark.parametrize("layout", ["as_is", "compact", "tabular"])
def test_the_expected_tokens_are_right_with_hundreds_of_sections(layout: JsonLayout) -> None:
    rows = [{"id": n, "d": PROSE, "e": {"x": 1, "y": "z"}} for n in range(100)]
    text = f"{PROSE * 3}\n\n{json.dumps(rows, indent=1)}\n\n{PROSE * 3}"
    rules = [{"key": "d", "rate": 1.0}]
    policy = _policy(json_layout=layout, json_rules=rules, ranges=[{"rate": 1.0}], min_saved_tokens=0)
    plan = plan_text(Text("tool", text), policy, COUNTER)
    assert plan.expected_tokens == COUNTER.count(render(text, plan.whole))
    half = policy.model_copy(update={"json_rules": json_rules({"key": "d", "rate": 0.5})})
    plan = plan_text(Text("tool", text), half, COUNTER)
    assert plan.skip is None
    halves = {p.span: (p.span[0], sum(p.span) // 2) for p in plan.pieces if p.measure.rate == 0.5}
    spans = [halves.get(span, span) for span in plan.whole]
    assert plan.expected_tokens == pytest.approx(COUNTER.count(render(text, spans)), rel=0.05)


def test_documents_keep_their_layout() -> None:
    from policies.groups import settings as settle

    text = json.dumps([{"title": f"t{n}", "text": PROSE * 4} for n in range(4)], indent=2)
    policy = _policy(json_layout="tabular", documents={"split": "auto"})
    request = [Text("user", text), Text("user", "What did the committee talk about?")]
    around: dict[Text, Setting] = settle(request, {0}, policy.documents)
    plan = plan_text(request[0], policy, COUNTER, setting=around[request[0]])
    assert render(text, plan.whole) == text
    assert len(plan.pieces[0].documents) == 4


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"id": n, "p": {"x": n}} for n in range(2**15)]),
        json.dumps([{"id": n, "p": {"x": n}} for n in range(2**13)], indent=8),
        "[" + ", ".join(['{"a": ' * 50 + "1" + "}" * 50] * 2**11) + "]",
        "[" * 500 + ", ".join(['{"a": 1}'] * 2**16) + "]" * 500,
        "[ " + "[], " * 2**18 + "{ } ]",
        '["' + " x" * 2**19 + '" ]',
        '{"' + " \\\\" * 2**18 + '": 1}',
    ],
)
def test_a_megabyte_is_laid_out(text: str) -> None:
    compact = _laid_out(text, "compact")
    assert json.loads(compact) == json.loads(text)
    assert len(_laid_out(text, "tabular")) <= len(compact) < len(text)


def test_what_is_nested_too_deep_names_all_keys() -> None:
    text = "[" * 200 + '{"a": 1}, {"a": 2}' + "]" * 200
    assert _laid_out(text, "tabular") == "[" * 200 + '{"a":1},{"a":2}' + "]" * 200


def test_real_tool_results_keep_their_values() -> None:
    for turns in conversations("agent_airline", 100):
        for message in turns[-1]["messages"]:
            text = message["content"]
            if message["role"] != "tool" or not isinstance(text, str):
                continue
            try:
                value = parsed(text)
            except ValueError:
                continue
            if isinstance(value, (list, tuple)):
                assert parsed(_laid_out(text, "compact")) == value
                assert read_tabular(_laid_out(text, "tabular")) == value
