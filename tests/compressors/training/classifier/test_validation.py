"""How held-out words are ranked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from compressors.training.classifier.examples import NO_WORD, Example
from compressors.training.classifier.figures import overall
from compressors.training.classifier.start import Start
from compressors.training.classifier.validation import Validation, reference, word_scores


def _example(labels: list[float]) -> Example:
    words = np.array([NO_WORD, *range(len(labels)), NO_WORD])
    return Example(np.full(len(words), 5), words, np.array(labels, np.float32))


@pytest.mark.parametrize(
    ("labels", "kept"),
    [([1, 0, 1, 0], [1, 0, 1, 0]), ([0.9, 0.2, 0.1, 0.8], [1, 0, 0, 1]), ([0.3, 0.4, 0.2], [0, 1, 0])],
)
def test_a_reference_keeps_as_many_words_as_labels_add_up_to(labels: list[float], kept: list[int]) -> None:
    assert reference(_example(labels)).tolist() == kept


def test_a_word_scores_the_mean_of_its_tokens() -> None:
    example = Example(np.zeros(5, np.int64), np.array([NO_WORD, 0, 1, 1, NO_WORD]), np.ones(2, np.float32))
    scores = word_scores(example, np.array([9.0, 0.5, 0.2, 0.6, 9.0], np.float32))
    assert scores.tolist() == pytest.approx([0.5, 0.4])


def test_figures_of_each_source(start: Start, some: Sequence[Example]) -> None:
    start.model.eval()
    figures = Validation({"a": some[:20], "b": some[20:]}, words=1000).figures(start.model, 0)
    assert set(figures) == {"a", "b"}
    for measures in figures.values():
        assert set(measures) == {"f1", "average_precision"}
        assert all(0 < value < 1 for value in measures.values())
    assert overall(figures) == pytest.approx(
        np.mean([value for measures in figures.values() for value in measures.values()])
    )


def test_a_validation_looks_at_some_words_only(start: Start, some: Sequence[Example]) -> None:
    few = Validation({"a": some}, words=1).figures(start.model.eval(), 0)
    assert few == Validation({"a": some[:1]}, words=1000).figures(start.model, 0)


def test_texts_of_which_all_or_nothing_stays_rank_nothing(start: Start) -> None:
    source = [_example([1, 1, 1]), _example([0, 0]), _example([0.1, 0.1])]
    assert Validation({"a": source}, words=1000).figures(start.model.eval(), 0) == {}
    assert overall({}) == 0
