"""Rankers that are models: what they judge by, long documents, and what can't be loaded."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from compressors import CompressionError
from compressors.ranking import Ranker, load_ranker, order

QUESTION = "who built the old bridge?"
DOCUMENTS = ["the castle of prague", "charles built the bridges.", "", "a gold river is the longest", "of"]

Load = Callable[[str], Ranker]


@pytest.fixture(scope="module")
def load(ranking_folder: Callable[[str], Path]) -> Load:
    made: dict[str, Ranker] = {}

    def ranker(kind: str) -> Ranker:
        if kind not in made:
            folder = ranking_folder({"embedding": "encoder"}.get(kind, kind))
            made[kind] = load_ranker(f"{kind}:{folder}", device="cpu")
        return made[kind]

    return ranker


def test_an_embedding_ranks_by_the_cosine_of_mean_token_states(
    load: Load, ranking_folder: Callable[[str], Path]
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(ranking_folder("encoder"))
    model = AutoModel.from_pretrained(ranking_folder("encoder")).eval()
    with torch.no_grad():
        states = [
            model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
            for text in [QUESTION, *DOCUMENTS]
        ]
    expected = [torch.cosine_similarity(states[0], state, dim=0).item() for state in states[1:]]
    assert load("embedding").scores(QUESTION, DOCUMENTS) == pytest.approx(expected, abs=1e-5)


def test_a_reranker_ranks_by_its_logit(load: Load, ranking_folder: Callable[[str], Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(ranking_folder("reranker"))
    model = AutoModelForSequenceClassification.from_pretrained(ranking_folder("reranker")).eval()
    with torch.no_grad():
        expected = [
            model(**tokenizer(QUESTION, document, return_tensors="pt")).logits.item()
            for document in filter(None, DOCUMENTS)  # the library leaves one separator out beside nothing
        ]
    assert load("reranker").scores(QUESTION, list(filter(None, DOCUMENTS))) == pytest.approx(
        expected, abs=1e-4
    )


@pytest.mark.parametrize("kind", ["embedding", "reranker"])
def test_the_order_is_the_same_alone_and_beside_others(load: Load, kind: str) -> None:
    ranker = load(kind)
    together = ranker.scores(QUESTION, DOCUMENTS)
    alone = np.concatenate([ranker.scores(QUESTION, [document]) for document in DOCUMENTS])
    assert len(set(order(together)[:2].tolist())) == 2
    assert order(together).tolist() == order(alone).tolist()
    assert together.dtype == np.float64


@pytest.mark.parametrize("kind", ["embedding", "reranker"])
def test_all_of_a_long_document_counts(load: Load, kind: str) -> None:
    fillers = [f"{word} " * 200 for word in ("gold", "castle", "of", "longest")]  # three windows and more
    worst = fillers[order(load(kind).scores(QUESTION, fillers))[-1]]
    [plain, *with_ends] = load(kind).scores(QUESTION, [worst, *(worst + end for end in DOCUMENTS)])
    assert max(with_ends) > plain + 1e-3


@pytest.mark.parametrize("kind", ["embedding", "reranker"])
def test_nasty_texts_have_finite_scores(load: Load, kind: str) -> None:
    documents = ["", " ", "\ud800", "日本語 🙂", "x" * 500]
    for question in ("", QUESTION, "who " * 300):
        assert np.isfinite(load(kind).scores(question, documents)).all()
    assert load(kind).scores(QUESTION, []).shape == (0,)


@pytest.mark.parametrize(
    ("kind", "folder", "complaint"),
    [
        ("reranker", "encoder", "no cross-encoder, its architecture is BertModel"),
        ("reranker", "classifier", "3 outputs; one was expected"),
        ("embedding", "empty", "can't load ranker"),
        ("reranker", "empty", "can't load ranker"),
        ("embedding", "nowhere", "no folder"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    ranking_folder: Callable[[str], Path], tmp_path: Path, kind: str, folder: str, complaint: str
) -> None:
    (tmp_path / "empty").mkdir()
    path = tmp_path / folder if folder in ("empty", "nowhere") else ranking_folder(folder)
    with pytest.raises(CompressionError, match=complaint):
        load_ranker(f"{kind}:{path}", device="cpu")


def test_fingerprints_follow_the_model_wherever_it_lies(
    ranking_folder: Callable[[str], Path], load: Load, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(ranking_folder("encoder"), folder)
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "config.json").write_text("{}")
    copies = [load_ranker(f"embedding:{folder}", device="cpu").fingerprint]
    (folder / "2_Dense" / "config.json").write_text('{"a": 1}')
    copies.append(load_ranker(f"embedding:{folder}", device="cpu").fingerprint)
    shutil.rmtree(folder / "2_Dense")
    assert load_ranker(f"embedding:{folder}", device="cpu").fingerprint == load("embedding").fingerprint
    assert len({*copies, load("embedding").fingerprint, load("reranker").fingerprint}) == 4


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "compressors.ranking.models", raising=False)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(CompressionError, match=r"pip install 'laconic\[rankers\]'"):
        load_ranker("embedding:owner/name")
