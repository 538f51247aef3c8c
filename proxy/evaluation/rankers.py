"""A ranker by the name that a person gives it: those of `compressors`, and LongLLMLingua's own ranking.

Knows no scores of models: how a compressor ranks is read off the order in which it arranges documents.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

import compressors
from compressors import Compressor, Job, Span, Strategy
from compressors.ranking import Ranker, load_ranker
from policies.tokens import tokenizer
from proxy.evaluation.cases import joined

_OWN = "perplexity"


class ByArrangement:
    """Ranks as a compressor arranges documents that all stay, best first."""

    def __init__(self, name: str, compressor: Compressor, strategy: Strategy) -> None:
        self.name = name
        self.fingerprint = f"{name} {compressor.fingerprint}"
        self._compressor = compressor
        self._strategy = strategy

    def scores(self, question: str, documents: Sequence[str]) -> npt.NDArray[np.float64]:
        """The documents' places from the end; `(D,)`."""
        text, spans = joined(documents)
        job = Job(
            text=text,
            rate=0.9,  # at 1 there would be nothing to do
            contexts=spans,
            question=question,
            strategy=self._strategy,
            tokenizer=tokenizer("o200k_base"),
        )
        (result,) = self._compressor.compress([job])
        return -np.array([_place(span, result.spans) for span in spans], dtype=np.float64)


def _place(document: Span, spans: Sequence[Span]) -> int:
    """The first of `spans` that holds some of the document; beyond the last if none does."""
    start, end = document
    return next((place for place, span in enumerate(spans) if span[0] < end and span[1] > start), len(spans))


def ranker(name: str, *, device: str) -> Ranker:
    """The ranker `name`: one of `compressors.ranking.load_ranker`, or several fused as LongLLMLingua does.

    `perplexity` is the causal model's own, `perplexity:MODEL` another model's; `+` fuses: `bm25+embedding`.
    Raises `CompressionError` if there is no such ranker.
    """
    parts = name.split("+")
    models = [part.partition(":")[2] for part in parts if part.partition(":")[0] == _OWN]
    if not models and len(parts) == 1:
        return load_ranker(name, device=device)
    names = tuple(_OWN if part.partition(":")[0] == _OWN else part for part in parts)
    compressor = compressors.load("longllmlingua", model="".join(models[:1]) or "embedded", device=device)
    strategy = Strategy(rankers=names, document_filter=False, token_filter=False, order="sort")
    return ByArrangement(name, compressor, strategy)
