"""Does a ranking of words fit a reference?"""

from __future__ import annotations

import pytest

from compressors import average_precision, f1_at_reference_rate


def test_f1_keeps_as_many_words_as_the_reference() -> None:
    assert f1_at_reference_rate([0.9, 0.1, 0.8, 0.2], [1, 0, 1, 0]) == 1
    assert f1_at_reference_rate([0.9, 0.8, 0.1, 0.2], [1, 0, 1, 0]) == 0.5
    assert f1_at_reference_rate([0.5, 0.5, 0.5], [0, 0, 1]) == 0


def test_average_precision_is_the_mean_precision_at_each_hit() -> None:
    # order 0 2 3 1, hits at places 1 and 3: (1/1 + 2/3) / 2
    assert average_precision([0.9, 0.1, 0.8, 0.2], [1, 0, 0, 1]) == pytest.approx(5 / 6)
