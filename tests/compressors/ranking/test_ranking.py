"""What every ranker keeps to, what scores become, and which names there are."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from compressors import CompressionError
from compressors.ranking import Ranker, RankScores, combined, load_ranker, order

SCORES = arrays.arrays(np.float64, st.integers(1, 12), elements=st.integers(-50, 50).map(float))


@pytest.fixture(params=["bm25", "gzip"])
def ranker(request: pytest.FixtureRequest) -> Ranker:
    return load_ranker(request.param)


def test_the_document_with_the_answer_comes_first(ranker: Ranker) -> None:
    documents = [
        "Wheat is grown on the plains, and barley is grown in the hills above them.",
        "The old stone bridge at Regensburg was built by Count Berthold in 1146.",
        "Sailors feared the northern passage because of its ice.",
    ]
    assert ranker.name in ("bm25", "gzip")
    assert order(ranker.scores("Who built the old stone bridge at Regensburg?", documents))[0] == 1


@given(question=st.text(max_size=20), documents=st.lists(st.text(max_size=30), max_size=6))
@pytest.mark.parametrize("name", ["bm25", "gzip"])
def test_any_texts_have_finite_scores_that_repeat(name: str, question: str, documents: list[str]) -> None:
    scores = load_ranker(name).scores(question, documents)
    assert scores.shape == (len(documents),)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert scores.tolist() == load_ranker(name).scores(question, documents).tolist()


@pytest.mark.parametrize("documents", [[], [""], ["", ""], ["a", "", "\ud800"], ["same words"] * 4])
def test_nothing_to_tell_documents_apart_leaves_them_in_place(ranker: Ranker, documents: list[str]) -> None:
    scores = ranker.scores("zebra \ud800", documents)
    assert len(scores) == len(documents)
    if len(set(documents)) < 2:
        assert order(scores).tolist() == list(range(len(documents)))


@pytest.mark.parametrize("name", ["", "bm26", "embedding:", "embedding:embedded", "reranker:embedded", "bge"])
def test_an_unknown_name_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(
        CompressionError, match="allowed are bm25, gzip, embedding, embedding:MODEL and reranker:MODEL"
    ):
        load_ranker(name)


def test_rankers_that_are_no_models_need_no_torch() -> None:
    code = (
        "import sys; from compressors.ranking import load_ranker; load_ranker('bm25'); load_ranker('gzip')\n"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


@given(scores=SCORES)
def test_the_order_is_by_score_then_by_position(scores: RankScores) -> None:
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    assert order(scores).tolist() == expected


@given(scores=SCORES, seed=st.integers(0, 99))
def test_noise_flips_nothing(scores: RankScores, seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-1e-9, 1e-9, len(scores))
    assert order(scores * (1 + noise)).tolist() == order(scores).tolist()


@given(scores=SCORES, factor=st.integers(1, 1000))
def test_one_ranker_combined_keeps_its_order_whatever_its_unit(scores: RankScores, factor: int) -> None:
    for given_scores in (scores, scores * factor):
        assert order(combined([given_scores])).tolist() == order(scores).tolist()


def test_a_document_that_stands_out_for_one_ranker_comes_first() -> None:
    clear = np.array([0.0, 0.2, 9.0, 0.1, 0.3])
    vague = np.array([3.0, 2.9, 2.0, 1.0, 2.8])
    assert order(combined([clear, vague]))[0] == 2
    assert combined([clear, vague]) == pytest.approx(combined([vague * 1000, clear]))


def test_a_ranker_to_which_all_are_equal_has_no_say() -> None:
    scores = np.array([1.0, 3.0, 2.0])
    nearly_equal = np.array([0.1 + 0.2, 0.3, 0.3])
    assert combined([scores, np.zeros(3), nearly_equal]).tolist() == combined([scores]).tolist()
    assert combined([np.zeros(0)]).shape == (0,)
