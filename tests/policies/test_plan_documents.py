"""Plans for prompts with documents: what may go, what stays, and what is checked afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.groups import Text, settings
from policies.invariants import violations
from policies.plan import TextPlan, plan_text
from policies.policy import Policy
from policies.protection import Protection
from policies.tokens import tokenizer

COUNTER = tokenizer("o200k_base")
BODY = "The town has an old harbour and a bridge of 1911 that nobody crosses after dark any more. " * 3
DOCUMENTS = [f"Document [{number}](Title: Town {number}) {BODY.strip()}" for number in range(1, 6)]
PROMPT = "Use these documents.\n\n" + "\n".join(DOCUMENTS) + "\n\nQuestion: who crosses the bridge?\nAnswer:"


def plan(text: str, role: str = "user", **fields: Any) -> TextPlan:
    base = {
        "targets": [{"role": ["user", "tool"]}],
        "ranges": [{"rate": 0.4}],
        "documents": {"split": "auto"},
    }
    policy = Policy.model_validate(base | fields)
    setting = settings([Text(role, text)], {0}, policy.documents)[Text(role, text)]
    return plan_text(Text(role, text), policy, COUNTER, setting=setting)


def test_only_the_documents_are_shortened() -> None:
    made = plan(PROMPT)
    [piece] = made.pieces
    assert PROMPT[slice(*piece.span)] == "\n".join(DOCUMENTS)
    content = PROMPT[slice(*piece.span)]
    assert [content[slice(*span)] for span in piece.documents] == DOCUMENTS
    assert next(content[slice(*span)] for span in piece.heads).startswith("Document [1]")
    assert all("1911" in content[slice(*span)] for span in piece.inline if "19" in content[slice(*span)])
    assert piece.question == "who crosses the bridge?"
    assert "".join(PROMPT[slice(*span)] for span in made.whole) == PROMPT
    assert made.expected_tokens < 0.5 * made.original_tokens


def test_what_stands_around_documents_has_rates_of_its_own() -> None:
    fields = {"split": "auto", "instruction_rate": 0.5, "question_rate": 0.9}
    made = plan(PROMPT, documents=fields)
    rates = {PROMPT[slice(*piece.span)].strip(): piece.measure.rate for piece in made.pieces}
    assert rates["Use these documents."] == 0.5
    assert rates["who crosses the bridge?"] == 0.9
    assert rates["\n".join(DOCUMENTS)] == 0.4


def test_a_target_pays_for_what_stands_around() -> None:
    [piece] = plan(PROMPT, ranges=[{"target_tokens": 200}]).pieces
    around = COUNTER.count(PROMPT) - COUNTER.count(PROMPT[slice(*piece.span)])
    assert piece.measure.target_tokens == 200 - around


def test_a_list_of_passages_is_no_single_block() -> None:
    passages = json.dumps([{"id": number, "title": f"T{number}", "text": BODY} for number in range(4)])
    [piece] = plan(passages, role="tool").pieces
    assert len(piece.documents) == 4
    assert not piece.blocks
    content = passages[slice(*piece.span)]
    open_ = content
    for start, end in reversed(piece.heads):
        open_ = open_[:start] + open_[end:]
    assert open_.replace(", ", "", 3).count("The town has") == 12
    assert '"title"' not in open_


def test_without_documents_nothing_changes() -> None:
    prose = BODY * 4
    assert plan(prose) == plan(prose, documents=None)


A, B = (0, 20), (21, 41)
TEXT = "first has 7 numbers. second not 9 of one"


@pytest.mark.parametrize(
    ("kept", "dropped", "found"),
    [
        (((0, 41),), (), ()),
        (((21, 41), (20, 21), (0, 20)), (), ()),  # rearranged
        (((0, 20),), ((20, 41),), ()),
        (((0, 9), (12, 20)), ((20, 41),), ("lost_number",)),  # 7 stood in what stays
        (((21, 30), (0, 20)), (), ("lost_number", "lost_negation")),
        (((10, 20), (0, 9)), ((20, 41),), ("disorder",)),  # within a document
        (((0, 20), (5, 20)), ((20, 41),), ("disorder",)),
    ],
)
def test_documents_may_go_or_change_places_but_not_be_torn(
    kept: Any, dropped: Any, found: tuple[str, ...]
) -> None:
    kept = tuple((start, min(end, len(TEXT))) for start, end in kept)
    documents = (A, (B[0], len(TEXT)))
    result = violations(
        TEXT, kept, Protection((), ()), ["numbers", "negations"], documents=documents, dropped=dropped
    )
    assert set(found) <= set(result)
    assert bool(found) == bool(result)


def test_a_head_is_lost_only_with_its_document() -> None:
    protection = Protection((), ((0, 5), (21, 27)))
    documents = (A, (B[0], len(TEXT)))
    kept = ((0, 20),)
    assert violations(TEXT, kept, protection, [], documents=documents) == ("lost_span",)
    assert violations(TEXT, kept, protection, [], documents=documents, dropped=((20, 40),)) == ()
