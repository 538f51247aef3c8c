"""Real traffic through a compressor that keeps as little as it may: nothing that matters is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from compressors import Compressed, Job, render
from policies.protection.spans import union
from tests.benchmarks.losses import TRAFFIC, contents, measure, texts_of


class _Miser:
    """Keeps what is protected, and white space."""

    fingerprint = "miser"

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Drop every other word of each job's text."""
        return [self._shorten(job) for job in jobs]

    def _shorten(self, job: Job) -> Compressed:
        blank = (match.span() for match in re.finditer(r"\s+", job.text))
        spans = union([*job.verbatim, *job.forced, *job.heads, *blank])
        text = render(job.text, spans)
        return Compressed(spans=tuple(spans), text=text, original_tokens=0, compressed_tokens=0)


@pytest.mark.parametrize("name", ["agent_airline", "chat_sharegpt", "rag_nq", "swe_agent"])
def test_nothing_that_matters_is_lost(name: str) -> None:
    path = TRAFFIC / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no traffic data at {path}")
    tally = measure(texts_of(path), _Miser(), 0.2)
    assert tally.lost.total() == 0
    assert tally.reverted == 0
    assert tally.shortened > tally.texts / 2
    assert all(tally.held[kind] for kind in ("numbers", "identifiers"))


def test_the_count_notices_each_loss() -> None:
    text = 'Set max_tokens to 1,240:\n{"a": [1, "x"]}\n```\nold words\n```\nx = 1\ny = 2\nThe end'
    for lost, kind in (
        ("1,240", "numbers"),
        ("max_tokens", "identifiers"),
        ('"x"', "JSON values"),
        ("words", "lines of code"),
        ("y = ", "lines of code"),
    ):
        before, after = contents(text), contents(text.replace(lost, "", 1))
        assert (before[kind] - after[kind]).total() > 0
