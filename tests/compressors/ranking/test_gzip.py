"""The compression distance is the llmlingua package's, and so is the order."""

from __future__ import annotations

import gzip

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from llmlingua import PromptCompressor  # type: ignore[import-untyped]

from compressors.ranking import load_ranker, order

WORDS = st.lists(st.sampled_from(["the", "old", "stone", "bridge", "was", "Prague", "."]), max_size=30)
TEXTS = WORDS.map(" ".join)


@given(question=TEXTS, documents=st.lists(TEXTS, min_size=1, max_size=8))
def test_the_order_is_the_packages_save_for_ties(question: str, documents: list[str]) -> None:
    package = PromptCompressor.__new__(PromptCompressor)  # its rankers need no model
    theirs = [i for i, _ in package.get_rank_results(documents, question, "gzip", "none", [])]
    scores = load_ranker("gzip").scores(question, documents)
    assert scores[theirs].tolist() == scores[order(scores)].tolist()


def test_the_score_is_the_negated_distance() -> None:
    def size(text: str) -> int:
        return len(gzip.compress(text.encode()))

    question, document = "who built it?", "Charles built the bridge, the old bridge."
    distance = size(f"{document} {question}") - min(size(question), size(document))
    [score] = load_ranker("gzip").scores(question, [document])
    assert np.isclose(score, -distance / max(size(question), size(document)))
