"""What a word is, and what BM25 makes of few documents."""

from __future__ import annotations

import pytest

from compressors.ranking import load_ranker, order
from compressors.ranking.bm25 import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Bridge, (built) in 1146!", ["the", "bridge", "built", "in", "1146"]),
        ("co-founder of snake_case", ["co", "founder", "of", "snake_case"]),
        ("Straße ﬁne ＡＢＣ", ["strasse", "fine", "abc"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("東京都は広い。犬", ["東京", "京都", "都は", "は広", "広い", "犬"]),
        ("Python入門", ["python", "入門"]),
        ("서울의 날씨", ["서울의", "날씨"]),
        ("ไทย", ["ไท", "ทย"]),
        ("... !?", []),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_word_tells_two_documents_apart() -> None:
    scores = load_ranker("bm25").scores("a zebra", ["a horse", "a zebra"])
    assert order(scores).tolist() == [1, 0]
    assert scores[0] > 0


def test_a_word_in_every_document_counts_least() -> None:
    documents = ["bridge bridge bridge of stone", "bridge of Prague", "bridge of wood"]
    assert order(load_ranker("bm25").scores("bridge Prague", documents))[0] == 1


def test_case_and_punctuation_do_not_matter() -> None:
    documents = ["Cats sleep.", "(Zebras) run", "Dogs bark"]
    assert order(load_ranker("bm25").scores("Where do ZEBRAS live?", documents))[0] == 1


def test_a_word_counts_once_however_often_it_is_asked() -> None:
    ranker, documents = load_ranker("bm25"), ["zebra", "horse", "horse zebra"]
    assert (
        ranker.scores("zebra horse zebra!", documents).tolist()
        == ranker.scores("zebra horse", documents).tolist()
    )


def test_words_that_occur_nowhere_leave_the_others_to_decide() -> None:
    scores = load_ranker("bm25").scores("quagga zebra", ["horse", "zebra"])
    assert scores[0] == 0 < scores[1]


def test_documents_in_japanese() -> None:
    documents = ["犬は庭で眠る。", "東京の人口は約千四百万人である。", "京都には寺が多い。"]
    assert order(load_ranker("bm25").scores("東京の人口は？", documents))[0] == 1
