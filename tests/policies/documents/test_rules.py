"""The operator's own ways to tell documents apart, and what the configuration file says of a mistake."""

from __future__ import annotations

import pytest

from policies.documents import find
from policies.loading import ConfigError, load_config
from policies.rules import Documents
from tests.policies.documents.passages import PASSAGES, QUESTION, bodies, documents, heads, kept


def _rule(split: object) -> Documents:
    return Documents.model_validate({"split": split})


_BLOCKS = [f"ITEM {n} On things\n{p}\n" for n, p in enumerate(PASSAGES)]
_TEXT = f"Intro\n{''.join(_BLOCKS)}END\n{QUESTION}"


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        (r"^ITEM \d.*\n(?:(?!ITEM|END).*\n)+", _BLOCKS),
        (r"^(ITEM \d.*\n(?:(?!ITEM|END).*\n)+)", _BLOCKS),
        (r"^ITEM \d(?P<title>.*)\n(?:(?!ITEM|END).*\n)+", _BLOCKS),
        (r"(?P<document>^ITEM \d(?P<title>.*)\n(?:(?!ITEM|END).*\n)+)", _BLOCKS),
        (r"^ITEM \d(?P<title>.*)\n(?P<document>(?:(?!ITEM|END).*\n)+)", _BLOCKS),
        (r"^ITEM \d.*\n((?:(?!ITEM|END).*\n)+)", [p + "\n" for p in PASSAGES]),
        (r"ITEM 2(?s:.*?)(?=END)", _BLOCKS[2:]),
        (r"nothing", []),
        (r"(never)?I(n)tro", []),
    ],
)
def test_regex(regex: str, expected: list[str]) -> None:
    found = find(_TEXT, _rule({"regex": regex}))
    assert documents(_TEXT, _rule({"regex": regex})) == expected
    for head in heads(_TEXT, found):
        assert ("On things" in " ".join(head)) == ("title" in regex)
    if "title" in regex:
        assert all(p in body for p, body in zip(PASSAGES, bodies(_TEXT, found), strict=True))


@pytest.mark.parametrize("tags", ["row", ["row"], ["entry", "ROW"]])
def test_tags(tags: object) -> None:
    rows = [f"<row id={n}>{p}<row>inner</row></row>" for n, p in enumerate(PASSAGES)]
    text = "<rows>" + "\n".join(rows) + f"</rows> {QUESTION}"
    assert documents(text, _rule({"tags": tags})) == rows
    assert (
        kept(text, find(text, _rule({"tags": tags})), {0, 2})
        == f"<rows>{rows[0]}\n{rows[2]}</rows> {QUESTION}"
    )


def test_one_document_is_enough_where_the_operator_says_what_one_is() -> None:
    assert documents("See <row>this</row>.", _rule({"tags": "row"})) == ["<row>this</row>"]


def test_prose_between_tags_belongs_to_nobody() -> None:
    text = f"Is <row>{PASSAGES[0]}</row> like <row>{PASSAGES[1]}</row>?"
    assert len(documents(text, _rule({"tags": "row"}))) == 1


def test_paragraphs_need_no_context() -> None:
    text = "\n\n".join(PASSAGES)
    assert documents(text, _rule("paragraphs")) == list(PASSAGES)
    assert documents(text, _rule("json_list")) == []


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ("{split: autos}", ["documents.split", "'autos'", "auto, paragraphs, json_list", "regex", "tags"]),
        ("{split: {}}", ["documents.split", "auto, paragraphs, json_list"]),
        ("{split: {regex: a, tags: b}}", ["documents.split", "exactly one of"]),
        ("{split: {regex: '(a'}}", ["documents.split.regex", "'(a'", "regular expression", "unterminated"]),
        ("{split: {regex: 'a*'}}", ["documents.split.regex", "'a*'", "empty text"]),
        ("{split: {tags: 'a b'}}", ["documents.split.tags", "'a b'"]),
        ("{split: {tags: []}}", ["documents.split.tags"]),
        ("{split: 3}", ["documents.split", "3"]),
        ("{question: {tag: a, regex: b}}", ["documents.question", "exactly one of tag, regex"]),
        ("{question: {}}", ["documents.question", "exactly one of tag, regex"]),
        ("{question: {regex: '*'}}", ["documents.question.regex", "'*'", "nothing to repeat"]),
        ("{splits: auto}", ["documents.splits", "unknown key"]),
    ],
)
def test_a_mistake_is_named(documents: str, words: list[str]) -> None:
    file = (
        "upstreams: {a: {base_url: 'https://a/v1'}}\n"
        f"policies:\n  careful:\n    documents: {documents}\nroutes: [{{name: a, upstream: a}}]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(file, "laconic.yaml", {})
    first = str(caught.value).splitlines()[0]
    assert first.startswith("laconic.yaml:4: policies.careful.")
    for word in words:
        assert word in first
