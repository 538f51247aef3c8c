"""Which samples are dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from compressors.training.labels import filter_samples, plot


def test_the_most_changed_go_first_then_the_worst_aligned_of_the_rest() -> None:
    variations = [i / 100 for i in range(100)]
    gaps = [i / 100 for i in range(100)]
    found = filter_samples(variations, gaps, variation_percentile=90, gap_percentile=50)
    assert found.highest_variation == pytest.approx(0.891)
    assert found.highest_gap == pytest.approx(0.445)
    assert found.kept.tolist() == [i < 45 for i in range(100)]


def test_what_is_without_fault_is_never_dropped() -> None:
    found = filter_samples([0.0] * 20, [0.0] * 19 + [0.5])
    assert found.kept.tolist() == [True] * 19 + [False]


def test_all_may_go() -> None:
    assert not filter_samples([0.4, 0.4], [0.0, 0.0]).kept.any()


def test_nothing_comes_of_nothing() -> None:
    with pytest.raises(ValueError, match="no samples"):
        filter_samples([], [])


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_distributions_are_drawn(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    plot({"variation_rate": [0.1, 0.2], "alignment_gap": []}, {"variation_rate": 0.15}, path)
    start = path.read_bytes()[:1000]
    assert start.startswith(b"\x89PNG") if ending == "png" else b"<svg" in start
