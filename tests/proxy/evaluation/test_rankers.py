"""A compressor's own ranking is read off how it arranges documents."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from compressors import Compressed, CompressionError, Job, Strategy, render
from proxy.evaluation.rankers import ByArrangement, ranker

DOCUMENTS = ["The sea.", "The lighthouse is made of granite.", "A harbour town.", "It rained."]


class LongestFirst:
    """Puts long documents first, each with the blank line before it, and leaves one out."""

    fingerprint = "longest-first"

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        self.jobs += jobs
        return [self._arranged(job) for job in jobs]

    def _arranged(self, job: Job) -> Compressed:
        longest = sorted(job.contexts, key=lambda span: span[0] - span[1])[:-1]
        spans = tuple((max(start - 2, 0), end) for start, end in longest)
        text = render(job.text, spans)
        return Compressed(spans=spans, text=text, original_tokens=9, compressed_tokens=9)


def test_the_first_in_the_arrangement_is_the_best() -> None:
    compressor = LongestFirst()
    scores = ByArrangement("longest", compressor, Strategy(order="sort")).scores("Which?", DOCUMENTS)
    assert scores.argsort().tolist()[::-1] == [1, 2, 3, 0]
    (job,) = compressor.jobs
    assert (job.question, job.strategy.order) == ("Which?", "sort")
    assert [job.text[start:end] for start, end in job.contexts] == DOCUMENTS


@pytest.mark.parametrize(
    "name",
    ["bm25", "gzip", "embedding", "perplexity", "bm25+perplexity", "perplexity+gzip", "bm25+embedding"],
)
def test_rankers_by_name_score_every_document(name: str) -> None:
    scores = ranker(name, device="cpu").scores("What is the lighthouse made of?", DOCUMENTS)
    assert len(scores) == 4
    if "bm25" in name:
        assert scores.argmax() == 1


@pytest.mark.parametrize("name", ["none", "perplexity:./no-such-folder", "bm25+none", "perplexity+none"])
def test_an_unknown_ranker_is_refused(name: str) -> None:
    with pytest.raises(CompressionError):
        ranker(name, device="cpu").scores("Which?", DOCUMENTS)
