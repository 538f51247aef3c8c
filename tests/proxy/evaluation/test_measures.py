"""The measures, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from proxy.evaluation.measures import position, rank, survives


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Ada Lund", "It was ADA\n lund."),
        ("1,240 EUR", "(1,240 EUR)"),
        ("nearly $12", "to nearly $12 globally"),
        ("1973", "in 1973-74"),
        ("C++", "In C++, say"),
        ("“why”", "she asked “why”"),
        ("Straße", "STRASSE 5"),
        ("25", "the ２５ of them"),
        ("委员会", "建立委员会审查"),
        ("メタン", "石油は、メタンに"),
        ("a.b", "see a.b"),
    ],
)
def test_an_answer_survives_in_any_case_and_white_space(answer: str, text: str) -> None:
    assert survives((answer,), text)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Ada Lund", "Ada M. Lund"),
        ("18", "the 18th"),
        ("3", "about 3.14 or 1,334"),
        ("art", "a party of Bart"),
        ("a.b", "see acb"),
        ("nearly $12", "nearly 12"),
        ("Ada", ""),
    ],
)
def test_an_answer_does_not_survive_in_parts_or_inside_words(answer: str, text: str) -> None:
    assert not survives((answer,), text)


def test_any_answer_will_do() -> None:
    assert survives(("no", "Lund"), "by Lund")
    assert not survives(("no", "Lund"), "by Ada")


@pytest.mark.parametrize(
    ("gold", "documents", "expected"),
    [(0, 1, 1), (0, 3, 1), (2, 3, 3), (9, 10, 10), (0, 20, 1), (1, 20, 1), (2, 20, 2), (19, 20, 10), (74, 75, 10)],
)  # fmt: skip
def test_positions_are_numbers_or_tenths(gold: int, documents: int, expected: int) -> None:
    assert position(gold, documents) == expected


def test_a_rank_counts_equals_against_the_gold_document() -> None:
    scores = np.array([0.5, 2.0, 0.5, -1.0])
    assert [rank(scores, gold) for gold in range(4)] == [3, 1, 3, 4]
