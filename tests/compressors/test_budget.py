from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compressors.budget import TOLERANCE, largest_fit


@given(
    real=st.lists(st.integers(0, 9), min_size=1, max_size=300),
    wrong=st.lists(st.integers(0, 9), min_size=300, max_size=300),
    share=st.floats(0, 0.99),
)
def test_the_largest_number_of_words_that_fits(real: list[int], wrong: list[int], share: float) -> None:
    costs = np.cumsum([0, *real])
    estimates = np.cumsum([0, *wrong[: len(real)]])
    target = float(share * costs[-1])
    fit = largest_fit(lambda m: int(costs[m]), estimates, target)
    assert costs[fit] <= target
    assert target - costs[fit] <= TOLERANCE * target or fit == len(real) or costs[fit + 1] > target


def test_good_estimates_need_few_counts() -> None:
    costs = np.arange(100_001) * 2
    asked: list[int] = []

    def count(m: int) -> int:
        asked.append(m)
        return int(costs[m] * 0.9)

    fit = largest_fit(count, costs, 50_000)
    assert 49_500 <= costs[fit] * 0.9 <= 50_000
    assert len(asked) <= 4


def test_nothing_fits() -> None:
    assert largest_fit(lambda m: 10 + m, np.array([10, 11, 12]), 5) == 0
