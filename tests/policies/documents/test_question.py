"""Where the question of a request stands."""

from __future__ import annotations

import pytest

from policies.documents import find_in_group
from policies.rules import Documents
from tests.policies.documents.passages import AUTO, PASSAGES, QUESTION, question

_LIST = "\n\n".join(f"Source {n}: {p}" for n, p in enumerate(PASSAGES, 1))
_TAGS = "<documents>" + "\n".join(f"<doc>{p}</doc>" for p in PASSAGES) + "</documents>"


@pytest.mark.parametrize("documents", [_LIST, _TAGS])
@pytest.mark.parametrize(
    "template",
    [
        "{documents}\n\nQuestion: {question}",
        "{documents}\n\nQuestion: {question}\nAnswer:",
        "{documents}\n\nQuestion: {question} Answer:",
        "{documents}\n\nUser question: {question}\n\nAnswer in one sentence.",
        "{documents}\n\nQuery:\n{question}\n",
        "{documents}\n\n**Question:** {question}",
        "{documents}\n\n## Question\n{question}",
        "{documents}\n\nQ: {question}\nA:",
        "{documents}\n\nAnswer the user's question: {question}",
        "{documents}\n\n{question}",
        "{documents}\n\n{question}\n\nAnswer:",
        "{documents}\n\n---\n{question}",
        "Question: {question}\n\n{documents}",
        "Question: {question}\n\n{documents}\n\nAnswer:",
        "Frage: {question}\n\n{documents}",
        "{question}\n\n{documents}",
        "{question}\n\nSources:\n\n{documents}",
        "{documents}\n\n질문: {question}",
        "{documents}\n\n质问：{question}".replace("质问", "問題"),
    ],
)
def test_the_question_beside_documents(template: str, documents: str) -> None:
    assert question(template.format(documents=documents, question=QUESTION)) == QUESTION


def test_questions_in_documents_are_not_the_question() -> None:
    faq = "\n\n".join(f"Source {n}:\nQuestion: What of it?\nAnswer: {p}" for n, p in enumerate(PASSAGES, 1))
    assert question(f"Question: {QUESTION}\n\n{faq}") == QUESTION
    assert question(f"{faq}\n\nQuestion: {QUESTION}\nAnswer:") == QUESTION
    assert question(f"Question: {QUESTION}\nContext: {faq}\nAnswer:") == QUESTION


def test_long_prose_is_no_question() -> None:
    assert question(f"{_TAGS}\n\n{'This is how to do it. ' * 60}") is None


@pytest.mark.parametrize("text", ["", QUESTION, f"Question: {QUESTION}", "\n\n".join(PASSAGES)])
def test_without_documents_the_general_rule_holds(text: str) -> None:
    assert question(text) is None


def _asked(texts: list[str], roles: list[str], rule: Documents = AUTO) -> list[str | None]:
    found = find_in_group(texts, roles, rule)
    return [one.question and text[slice(*one.question)] for text, one in zip(texts, found, strict=True)]


def test_prose_beside_documents_asks_only_in_the_last_user_text() -> None:
    assert _asked([f"Read this.\n\n{_TAGS}", QUESTION], ["user", "user"]) == [None, None]
    assert _asked([PASSAGES[0], f"{QUESTION}\n\n{_TAGS}"], ["user", "user"]) == [None, QUESTION]
    labelled = f"{_TAGS}\n\nQuestion: {QUESTION}"
    assert _asked([labelled, "Please."], ["user", "user"]) == [QUESTION, None]


def test_a_system_text_asks_only_where_no_user_does() -> None:
    labelled = f"{_TAGS}\n\nQuestion: {QUESTION}"
    assert _asked([labelled], ["system"]) == [QUESTION]
    assert _asked([labelled, "Well?"], ["system", "user"]) == [None, None]


def test_a_tool_asks_nothing() -> None:
    rule = Documents.model_validate({"question": {"tag": "question"}})
    text = f"{_TAGS}\n<question>{QUESTION}</question>"
    assert _asked([text], ["tool"], rule) == [None]
    assert _asked([text], ["system"], rule) == [QUESTION]


@pytest.mark.parametrize(
    "rule",
    [
        {"tag": "question"},
        {"regex": "<question>(.*?)</question>"},
        {"regex": "<question>(?P<question>.*?)</question>"},
        {"regex": "(?<=<question>)[^<]+"},
    ],
)
def test_the_question_by_a_rule(rule: dict[str, str]) -> None:
    documents = Documents.model_validate({"question": rule})
    text = f"<question>not this</question> {_TAGS}\nQuestion: no\n<question> {QUESTION} </question>"
    assert question(text, documents) == QUESTION
    assert _asked([f"<question>{QUESTION}</question>", _TAGS], ["user", "user"], documents) == [
        QUESTION,
        None,
    ]


def test_a_rule_that_finds_nothing_leaves_it_to_the_labels() -> None:
    rule = Documents.model_validate({"question": {"tag": "ask"}})
    assert question(f"{_TAGS}\n\nQuestion: {QUESTION}", rule) == QUESTION


def test_the_question_is_not_looked_for_in_documents() -> None:
    rule = Documents.model_validate({"question": {"tag": "q"}})
    text = f"<q>{QUESTION}</q>" + "".join(f"<doc>{p} <q>And this?</q></doc>" for p in PASSAGES)
    assert question(text, rule) == QUESTION
