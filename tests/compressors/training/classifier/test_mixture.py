"""What training steps are made of."""

from __future__ import annotations

import numpy as np
import pytest

from compressors.training.classifier.examples import Example
from compressors.training.classifier.mixture import Mixture


def _source(lengths: list[int]) -> list[Example]:
    return [
        Example(np.full(length, number), np.zeros(length, np.int64), np.ones(1, np.float32))
        for number, length in enumerate(lengths)
    ]


def _mixture(seed: int = 1) -> Mixture:
    return Mixture([_source([5] * 10), _source([50] * 8), _source([20])], [0.2, 0.7, 0.1], seed=seed)


def _drawn(mixture: Mixture, steps: int) -> list[tuple[int, int]]:
    return [(source, int(example.ids[0])) for _ in range(steps) for source, example in mixture.draw(100)]


def test_each_source_has_its_share_of_the_tokens_at_all_times() -> None:
    mixture = _mixture()
    for _ in range(20):
        mixture.draw(100)
        ideal = mixture.tokens.sum() * np.array([0.2, 0.7, 0.1])
        assert (np.abs(mixture.tokens - ideal) <= 50).all()


def test_a_step_has_enough_tokens() -> None:
    mixture = _mixture()
    for _ in range(5):
        assert 100 <= sum(len(example.ids) for _, example in mixture.draw(100)) < 150


def test_each_example_comes_once_before_any_comes_again() -> None:
    drawn = [number for source, number in _drawn(_mixture(), 30) if source == 0]
    assert sorted(drawn[:10]) == sorted(drawn[10:20]) == list(range(10))
    assert drawn[:10] != drawn[10:20]


def test_the_order_depends_on_the_seed_only() -> None:
    assert _drawn(_mixture(), 9) == _drawn(_mixture(), 9)
    assert _drawn(_mixture(), 9) != _drawn(_mixture(seed=2), 9)


@pytest.mark.parametrize("steps", [1, 7, 16])
def test_a_state_goes_on_where_it_was(steps: int) -> None:
    begun, resumed = _mixture(), _mixture()
    _drawn(begun, steps)
    resumed.restore(begun.state())
    assert _drawn(begun, 12) == _drawn(resumed, 12)
