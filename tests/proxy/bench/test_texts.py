"""Made-up texts, and what is made of measured times."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from policies.tokens import tokenizer
from proxy.bench.counting import Pieces, counter
from proxy.bench.outcomes import Batches, spread
from proxy.bench.plan import Plan, job_of, loads
from proxy.bench.texts import chat_messages, mixed, of_tokens, prose

ENCODING = tokenizer("cl100k_base")


@pytest.mark.parametrize("tokens", [20, 60, 500, 2000])
def test_a_text_has_about_as_many_tokens_as_asked_for(tokens: int) -> None:
    text = of_tokens(tokens, ENCODING.count, random.Random(3))
    assert ENCODING.count(text) == pytest.approx(tokens, rel=0.15, abs=5)


def test_texts_are_the_same_each_time_and_differ_from_each_other() -> None:
    one, other = (chat_messages(20, ENCODING.count, seed=5) for _ in range(2))
    assert one == other
    assert len(set(one)) == 20
    assert chat_messages(20, ENCODING.count, seed=6) != one


def test_prose_has_sentences_and_paragraphs() -> None:
    text = prose(random.Random(0), 300)
    assert len(text.split()) == 300
    assert text.count("\n\n") >= 2
    assert text.count(". ") >= 5


def test_messages_are_20_to_300_tokens_long() -> None:
    counts = sorted(ENCODING.count(text) for text in chat_messages(100, ENCODING.count))
    assert counts[0] < 40
    assert 200 < counts[-1] < 330
    assert counts[50] < 120


def test_a_mix_holds_every_size_and_more_of_the_smaller() -> None:
    found = Counter(mixed([8000, 60, 500], 70, random.Random(0)))
    assert found == {60: 40, 500: 20, 8000: 10}


def test_loads_name_sizes_and_callers() -> None:
    plan = Plan(sizes=(30, 60), concurrency=(1, 4), rounds=2)
    found = loads(plan, "llmlingua2", ENCODING.count, ENCODING)
    assert [(load.size, load.concurrency, load.requests) for load in found] == [
        ("30", 1, 2),
        ("30", 4, 8),
        ("60", 1, 2),
        ("60", 4, 8),
        ("mix", 1, 2),
        ("mix", 4, 8),
    ]
    assert len({job.text for job in found[0].jobs}) == 8


def test_paragraphs_are_the_documents_of_a_question() -> None:
    job = job_of("longllmlingua", "One two.\n\nThree\nfour.\n\nFive.", ENCODING)
    assert [job.text[slice(*span)] for span in job.contexts] == ["One two.", "Three\nfour.", "Five."]
    assert job.question
    plan = Plan(sizes=(30,), concurrency=(1,), rounds=1)
    documents = loads(plan, "longllmlingua", ENCODING.count, ENCODING)[-1]
    assert documents.size == "20×150"
    assert len(documents.jobs[0].contexts) == 20


def test_percentiles_are_in_milliseconds() -> None:
    found = spread([each / 1000 for each in range(101)])
    assert found is not None
    assert (found.p50, found.p95, found.p99) == pytest.approx((50, 95, 99))
    assert spread([]) is None


def test_fill_is_the_share_of_the_budget() -> None:
    assert Batches(count=2, tokens=600, budget_tokens=1000, seconds=0.1).fill == 0.6
    assert Batches(count=0, tokens=0, budget_tokens=0, seconds=0.0).fill is None


def test_budgets_are_met_in_the_packages_encoding_or_in_pieces() -> None:
    found, name = counter()
    assert name == "cl100k_base"
    text = "Nobody knows, not even the geotechnical committee."
    for each in (found, Pieces()):
        assert each.count(text) == len(each.encode(text)) == len(each.starts(text))
