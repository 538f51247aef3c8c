"""The ranker that ships: what it finds near, what it remembers, whom it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compressors.checkpoint import load_checkpoint
from compressors.identity import folder_of
from compressors.ranking import embedded as module
from compressors.ranking import load_ranker, needs_model, order
from compressors.ranking.embedded import Embedded

QUESTION = "How many people live in the biggest town of France?"
DOCUMENTS = [
    "The committee meets on Tuesdays to talk about the budget for new bicycles.",
    "Paris has about 2.1 million inhabitants, more than any other French city.",
    "In the film, many people of the town live how they want, and the biggest of them leaves for a trip.",
]


@pytest.fixture(scope="module")
def ranker() -> Embedded:
    found = load_ranker("embedding", device="cpu")
    assert isinstance(found, Embedded)
    return found


def test_meaning_counts_more_than_shared_words(ranker: Embedded) -> None:
    assert order(ranker.scores(QUESTION, DOCUMENTS))[0] == 1
    assert order(load_ranker("bm25").scores(QUESTION, DOCUMENTS))[0] == 2


def test_scores_are_those_of_sentence_transformers(ranker: Embedded, tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    checkpoint = load_checkpoint(
        "embedded", "embedding", folder=folder_of("embedding", "embedded"), device="cpu"
    )
    checkpoint.model.save_pretrained(tmp_path)
    checkpoint.tokenizer.save_pretrained(tmp_path)
    model = library.SentenceTransformer(str(tmp_path), device="cpu")
    found = model.encode([QUESTION, *DOCUMENTS], normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(ranker.scores(QUESTION, DOCUMENTS), found[1:] @ found[0], atol=2e-3)


def test_neighbours_change_nothing(ranker: Embedded) -> None:
    together = ranker.scores(QUESTION, DOCUMENTS * 20)[: len(DOCUMENTS)]
    alone = [load_ranker("embedding", device="cpu").scores(QUESTION, [text])[0] for text in DOCUMENTS]
    np.testing.assert_allclose(together, alone, atol=1e-3)


def test_texts_that_recur_are_not_read_again(ranker: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ranker.scores(QUESTION, DOCUMENTS)

    def embed(_: Any, sequences: Sequence[Any]) -> None:
        raise AssertionError(f"{len(sequences)} passages were read again")

    monkeypatch.setattr(Embedded, "_embed", embed)
    assert ranker.scores(QUESTION, DOCUMENTS[::-1]).tolist() == first[::-1].tolist()


def test_what_is_remembered_is_bounded(ranker: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_TEXTS", 3)
    many = [f"Document number {number}." for number in range(9)]
    assert len(ranker.scores(QUESTION, many)) == 9
    assert len(ranker._known) == 3


def test_a_long_document_counts_by_its_best_passage(ranker: Embedded) -> None:
    filler = "The committee talked about bicycles. " * 100
    short, long = ranker.scores(QUESTION, [DOCUMENTS[1], f"{filler}\n{DOCUMENTS[1]}\n{filler}"])
    (poor,) = ranker.scores(QUESTION, [filler])
    assert poor < long <= short + 0.05
    assert long > poor + 0.2


@pytest.mark.parametrize("question", ["Какой город — столица?", "首都はどこですか。", "", "   "])
def test_it_has_no_say_on_what_it_can_not_read(ranker: Embedded, question: str) -> None:
    assert ranker.scores(question, DOCUMENTS).tolist() == [0.0, 0.0, 0.0]


def test_any_text_may_be_ranked(ranker: Embedded) -> None:
    found = ranker.scores(QUESTION, ["", " ", "\ud800", "🙂" * 400, "x" * 5000, "[SEP] [CLS]"])
    assert np.isfinite(found).all()
    assert ranker.scores(QUESTION, []).tolist() == []


def test_its_name_says_that_it_is_a_model_and_loading_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    assert needs_model("embedding")
    assert load_ranker("embedding", device="cpu").name == "embedding"
