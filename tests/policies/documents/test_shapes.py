"""Every shape that documents usually come in, and what of them may go or be shortened."""

from __future__ import annotations

import json

import pytest

from policies.documents import find, find_in_group
from policies.rules import Documents
from tests.policies.documents.passages import (
    AUTO,
    PASSAGES,
    QUESTION,
    bodies,
    documents,
    heads,
    kept,
    question,
)

_JSON_LIST = Documents.model_validate({"split": "json_list"})


@pytest.mark.parametrize(
    "mark",
    [
        "Document [{n}](Title: On (many) things) ",
        "Document {n}: ",
        "Document {n}:\n\n",
        "Doc #{n}: ",
        "doc {n} | ",
        "Source {n}:\n",
        "**Source {n}:** ",
        "Passage {n}. ",
        "Context {n}:\n",
        "### Search result {n}\n",
        "### Document {n}: On things\n",
        "--- Chunk {n} ---\nTime: noon\nFile: shop.md\n",
        "=== Document {n}/3 ===\n",
        "[Source {n}] ",
        "[Source {n} — returns (handbook)]\n",
        "[doc{n}]: ",
        "[{n}] ",
        "[{n}]: ",
        "[{n}]\n",
        "[{n}] On things\nURL: https://shop.example/{n}\n",
        "【{n}】 ",
        "Dokument {n}: ",
        "Fuente {n}: ",
        "文档{n}：",
        "문서 {n}: ",
    ],
)
@pytest.mark.parametrize("separator", ["\n", "\n\n", "\n\n---\n\n"])
@pytest.mark.parametrize("tail", [f"\n\nQuestion: {QUESTION}\nAnswer:", f"\n\n{QUESTION}", ""])
def test_numbered_documents(mark: str, separator: str, tail: str) -> None:
    marks = [mark.format(n=number) for number in (1, 2, 3)]
    text = separator.join(m + p for m, p in zip(marks, PASSAGES, strict=True)) + tail
    found = find(text, AUTO)
    assert bodies(text, found) == list(PASSAGES)
    assert [" ".join(head) for head in heads(text, found)] == [m.strip() for m in marks]
    assert question(text) == (QUESTION if tail else None)


def test_numbers_may_come_in_any_order() -> None:
    text = "\n".join(f"Document [{n}] {p}" for n, p in zip((7, 2, 5), PASSAGES, strict=True))
    assert len(documents(text)) == 3


def test_of_two_lists_the_longer_counts() -> None:
    example = "Source 1:\nThe sky is red in the evening.\nSource 2:\nWater is wet.\n"
    text = f"For example:\n{example}\nYours:\n" + "\n".join(
        f"Source {n}:\n{p}" for n, p in enumerate(PASSAGES, 1)
    )
    assert [document.splitlines()[1][:7] for document in documents(text)] == ["Refunds", "Shippin", "Gift ca"]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("document", ' index="{n}"'),
        ("Document", ' source="a.pdf" page="{n}"'),
        ("doc", ""),
        ("context", ""),
        ("source", ' id="{n}"'),
        ("passage", ""),
        ("chunk", " rank={n}"),
        ("search_result", ""),
        ("document_{n}", ""),
    ],
)
@pytest.mark.parametrize(
    "wrapper", [("", ""), ("<documents>\n", "\n</documents>"), ("<context>", "</context>")]
)
def test_tags(name: str, attributes: str, wrapper: tuple[str, str]) -> None:
    if wrapper[0] == f"<{name}>":
        pytest.skip("an element isn't its own wrapper")
    openers = [f"<{name}{attributes}>".format(n=number) for number in range(3)]
    closers = [f"</{name}>".format(n=number) for number in range(3)]
    elements = [f"{o}\n{p}\n{c}" for o, p, c in zip(openers, PASSAGES, closers, strict=True)]
    text = wrapper[0] + "\n".join(elements) + wrapper[1] + f"\n\n{QUESTION}"
    found = find(text, AUTO)
    assert documents(text) == elements
    assert bodies(text, found) == list(PASSAGES)
    assert heads(text, found) == [[o, c] for o, c in zip(openers, closers, strict=True)]
    assert question(text) == QUESTION
    assert kept(text, found, {1}) == wrapper[0] + elements[1] + wrapper[1] + f"\n\n{QUESTION}"


def test_children_of_a_tagged_document_stay_but_for_the_content() -> None:
    elements = [
        f'<document index="{n}">\n<source>{n}.pdf</source>\n<title>On things</title>\n'
        f"<document_content>\nAuthor: Ada\n{p}\n</document_content>\n</document>"
        for n, p in enumerate(PASSAGES, 1)
    ]
    text = "<documents>\n" + "\n".join(elements) + f"\n</documents>\n{QUESTION}"
    found = find(text, AUTO)
    assert documents(text) == elements
    assert bodies(text, found) == list(PASSAGES)
    kept_heads = " ".join(heads(text, found)[1])
    assert all(
        part in kept_heads for part in ('index="2"', "<source>2.pdf</source>", "On things", "Author: Ada")
    )


def test_an_empty_tag_with_a_closing_one_opens_a_document() -> None:
    elements = [f'<Document href="{n}"/>\n{p}\n</Document>' for n, p in enumerate(PASSAGES)]
    assert documents("\n\n---\n\n".join(elements)) == elements


def test_a_fence_that_chunks_cut_in_two_hides_no_tag() -> None:
    parts = [PASSAGES[0] + "\n```py\na = 1", "b = 2\n```\n" + PASSAGES[1], PASSAGES[2]]
    text = "\n".join(f"<chunk>\n{part}\n</chunk>" for part in parts)
    assert bodies(text, find(text, AUTO)) == parts


def _records(**options: bool) -> list[str]:
    values = [
        {"id": n, "title": "On things", "url": f"https://a/{n}", "text": p + " – é"}
        for n, p in enumerate(PASSAGES)
    ]
    return [json.dumps(value, **options) for value in values]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "separator", "behind"),
    [
        ("[", ", ", "]"),
        ("[\n  ", ",\n  ", "\n]"),
        ('{"total": 3, "results": [', ",", '], "next": null}'),
        ('The tool says: {"data": {"hits": [', ", ", "]}} and no more."),
        ("", "\n", ""),
    ],
)
def test_json_lists(before: str, separator: str, behind: str) -> None:
    records = _records(ensure_ascii=True)
    text = f"{before}{separator.join(records)}{behind}\n\nQuestion: {QUESTION}"
    found = find(text, AUTO)
    assert documents(text) == records
    assert question(text) == QUESTION
    for record, head, body in zip(records, heads(text, found), bodies(text, found), strict=True):
        assert head[0].startswith('{"id"')
        assert head[0].endswith('"text": "')
        assert head[-1].endswith('"}')
        assert "\\" not in body
        assert body.replace(" ", "") == json.loads(record)["text"].replace("\n", "").translate(
            {0x2013: "", 0xE9: ""}
        ).replace(" ", "")


@pytest.mark.parametrize(
    "key", ["text", "content", "page_content", "pageContent", "passage", "snippet", "body"]
)
def test_text_like_keys(key: str) -> None:
    assert len(documents(json.dumps([{"source": "a", key: p} for p in PASSAGES]))) == 3
    nested = [{"score": 0.5, "node": {"metadata": {"page": 3}, key: p}} for p in PASSAGES]
    assert len(documents(json.dumps({"matches": nested}))) == 3


def test_a_list_of_long_strings() -> None:
    text = json.dumps(PASSAGES)
    found = find(text, AUTO)
    assert documents(text) == [json.dumps(p) for p in PASSAGES]
    assert heads(text, found)[0] == ['"', "\\n", '"']


def test_whole_lists_within_broken_json_are_read() -> None:
    text = '{"results": ' + json.dumps([{"text": p} for p in PASSAGES]) + ', "more": "cut o'
    assert len(documents(text, _JSON_LIST)) == 3


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "content": p} for p in PASSAGES],
        [{"name": "f", "description": p, "parameters": {}} for p in PASSAGES],
        [{"text": p} for p in PASSAGES[:1]],
        [{"text": p} for p in PASSAGES] + [{"total": 3}],
        [{"text": "short"}] * 9,
        [{"name": p} for p in PASSAGES],
        [1, 2, 3, *PASSAGES],
    ],
)
def test_other_json_holds_no_documents(value: object) -> None:
    assert documents(json.dumps(value)) == []


@pytest.mark.parametrize("rule", ["---", "***", "=====", "- - -", "=" * 60])
def test_rules_within_a_context(rule: str) -> None:
    middle = f"\n\n{rule}\n\n".join(PASSAGES)
    announced = f"Answer from the context.\n\nContext:\n{middle}\n\nQuestion: {QUESTION}"
    assert documents(announced) == list(PASSAGES)
    surrounded = f"Answer the question.\n\n{rule}\n{middle}\n{rule}\n\nQuestion: {QUESTION}"
    assert documents(surrounded) == list(PASSAGES)
    assert question(announced) == question(surrounded) == QUESTION


def test_dashes_beneath_a_title_part_nothing() -> None:
    text = "Context:\nReturns\n-------\n\n" + "\n\n---\n\n".join(PASSAGES) + f"\n\nQuestion: {QUESTION}"
    assert documents(text)[0] == "Returns\n-------\n\n" + PASSAGES[0]


def test_headings_within_a_context() -> None:
    sections = [f"## On {n}\nSource: {n}.md\n\n{p}\n\n### More\n\n{p}" for n, p in enumerate(PASSAGES)]
    text = "# Context\n\n" + "\n\n".join(sections) + f"\n\n# Question\n\n{QUESTION}"
    found = find(text, AUTO)
    assert documents(text) == sections
    assert heads(text, found)[2] == ["## On 2\nSource: 2.md"]
    assert question(text) == QUESTION


def test_a_fence_is_never_cut() -> None:
    code = "```yaml\na: 1\n\n---\n\n## b\n\nSource 9: c\n```"
    parts = [PASSAGES[0], f"{PASSAGES[1]}\n\n{code}", PASSAGES[2]]
    text = "Context:\n" + "\n\n---\n\n".join(parts) + f"\n\nQuestion: {QUESTION}"
    assert documents(text) == parts
    text = "\n\n".join(f"Source {n}: {part}" for n, part in enumerate(parts)) + f"\n\nQuestion: {QUESTION}"
    assert [document[10:] for document in documents(text)] == parts
    fenced = "```\n" + "\n".join(f"<document>{p}</document>" for p in PASSAGES) + "\n```"
    assert documents(f"What does this print?\n{fenced}") == []


def test_paragraphs_within_a_context() -> None:
    titled = [PASSAGES[0], f"Shipping\n\n{PASSAGES[1]}", PASSAGES[2]]
    text = "Context:\n\n" + "\n\n".join(titled) + f"\n\nQuestion: {QUESTION}"
    assert documents(text) == titled


def test_metadata_says_where_documents_begin() -> None:
    nodes = [f"page_label: {n}\nfile_path: docs/{n}.pdf\n\n{p}\n\n{p}" for n, p in enumerate(PASSAGES)]
    text = "Context:\n" + "\n\n".join(nodes) + f"\n\nQuestion: {QUESTION}"
    found = find(text, AUTO)
    assert documents(text) == nodes
    assert heads(text, found)[1] == ["page_label: 1\nfile_path: docs/1.pdf"]


def test_results_of_tools_are_documents() -> None:
    texts = [QUESTION, *PASSAGES, "done"]
    found = find_in_group(texts, ["user", "tool", "tool", "tool", "tool"], AUTO)
    assert [len(one.documents) for one in found] == [0, 1, 1, 1, 0]
    assert [one.documents[0].span for one in found[1:4]] == [(0, len(p)) for p in PASSAGES]
    assert all(one.question is None for one in found)


def test_results_of_tools_in_json_keep_all_but_long_texts() -> None:
    texts = [json.dumps({"title": "On things", "text": p}) for p in PASSAGES]
    for text, found in zip(texts, find_in_group(texts, ["tool"] * 3, AUTO), strict=True):
        assert heads(text, found)[0] == ['{"title": "On things", "text": "', "\\n", '"}']


def test_results_of_tools_that_hold_documents_are_none() -> None:
    texts = [json.dumps([{"text": p} for p in PASSAGES]), PASSAGES[0] + PASSAGES[1]]
    found = find_in_group(texts, ["tool", "tool"], AUTO)
    assert [len(one.documents) for one in found] == [3, 0]


def test_results_of_tools_without_prose_are_no_documents() -> None:
    records = [json.dumps({"id": n, "prices": list(range(200))}) for n in range(2)]
    blank = [" " * 500] * 2
    for texts in (records, blank):
        assert not any(one.documents for one in find_in_group(texts, ["tool", "tool"], AUTO))


@pytest.mark.parametrize("breaks", ["\n", "\n\n"])
@pytest.mark.parametrize(
    "tail",
    [
        "\n\nSummarise the documents above.",
        "\n\nBe brief.",
        "\n\nUse nothing but the documents.\n\nQuestion: {question}",
        "\n\nUse nothing but the documents.\nQuestion: {question}\nAnswer:",
    ],
)
def test_an_instruction_behind_numbered_documents_is_part_of_none(breaks: str, tail: str) -> None:
    parts = [f"Source {n}:\n" + p.replace("\n", breaks) for n, p in enumerate(PASSAGES)]
    tail = tail.replace("{question}", QUESTION)
    text = "\n\n".join(parts) + tail
    assert documents(text) == parts


def test_a_question_on_the_next_line_is_no_part_of_a_document() -> None:
    parts = [f"[{n}] " + p.replace("\n", " ") for n, p in enumerate(PASSAGES)]
    text = "\n".join(parts) + f"\n{QUESTION}"
    assert documents(text) == parts
    assert question(text) == QUESTION


def test_an_instruction_behind_paragraphs_is_none() -> None:
    text = "Context:\n" + "\n\n".join(PASSAGES) + f"\n\nDon't guess.\n\nQuestion: {QUESTION}"
    assert documents(text) == list(PASSAGES)


def test_the_assistants_text_holds_nothing_and_changes_nothing() -> None:
    answer = "\n".join(f"<document>{p}</document>" for p in PASSAGES)
    before = find_in_group([answer], ["user"], AUTO)
    both = find_in_group([answer, answer], ["user", "assistant"], AUTO)
    assert both[0] == before[0]
    assert both[1].documents == ()


def test_an_outline_of_instructions_holds_no_documents() -> None:
    parts = [f"# Part {n}\n{p}" for n, p in enumerate(PASSAGES)]
    assert documents("\n\n".join(parts) + f"\n\n# Question\n{QUESTION}") == []
    assert documents("\n\n".join(parts) + f"\n\n# Task\n{QUESTION}") == []
    rules = [PASSAGES[0], f"Rules:\n{PASSAGES[1]}", PASSAGES[2], PASSAGES[0]]
    assert documents("\n\n---\n\n".join(rules) + f"\n\n---\n\nQuestion: {QUESTION}") == []


def test_a_leading_number_of_a_paragraph_stays() -> None:
    text = (
        "Context:\n" + "\n\n".join(f"({n}) {p}" for n, p in enumerate(PASSAGES)) + f"\n\nQuestion: {QUESTION}"
    )
    assert heads(text, find(text, AUTO)) == [["(0)"], ["(1)"], ["(2)"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        PASSAGES[0],
        "\n\n".join(PASSAGES),
        "\n\n---\n\n".join(PASSAGES),
        "\n\n".join(f"## Part {p[:6]}\n\n{p}" for p in PASSAGES),
        "\n".join(f"{n}. {p}" for n, p in enumerate(PASSAGES, 1)),
        "\n\n".join(PASSAGES) + "\n\n[1] A. Author (2019). On things. doi:10.1/x\n[2] B. Other, pp. 3-9.",
        "\n".join(f"[{n}] A. Author and B. Other ({2000 + n}). {PASSAGES[0][:99]}, pp. 4-9." for n in range(9)),
        "Result 1: 5\nResult 2: 8\nResult 3: 13",
        "Source 1: " + PASSAGES[0],
        f"<document>{PASSAGES[0]}</document>",
        f"First <document>{PASSAGES[0]}</document> and then <document>{PASSAGES[1]}</document> as agreed.",
        "<article>" + "</article><article>".join(PASSAGES) + "</article>",
        f"Context: I write a letter to my landlord.\n\n{PASSAGES[0]}\n\n{PASSAGES[1]}",
        f"What is wrong with the following code snippet?\n\n{PASSAGES[0]}\n\n{PASSAGES[1]}",
    ],
)  # fmt: skip
def test_other_texts_hold_no_documents(text: str) -> None:
    assert documents(text) == []
