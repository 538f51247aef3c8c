"""Ranks by how much a document helps to compress the question. Knows no words, no model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from compressors.ranking.ranker import RankScores

_GZIP = 31
"""zlib's name for gzip's format with the largest window, 32 KiB; what lies beyond can't match."""


class Gzip:
    """Normalised compression distance, negated (Cilibrasi & Vitányi 2005, "Clustering by compression")."""

    name = "gzip"
    fingerprint = "gzip:1"

    def scores(self, question: str, documents: Sequence[str]) -> RankScores:
        """Scores around -1, which is nothing in common; 0 would be the same text."""
        asked = _size(question)
        sizes = np.array([_size(document) for document in documents], dtype=np.float64)  # (D,)
        both = np.array([_size(f"{document} {question}") for document in documents], dtype=np.float64)
        return -(both - np.minimum(asked, sizes)) / np.maximum(asked, sizes)


def _size(text: str) -> int:
    return len(zlib.compress(text.encode("utf-8", "surrogatepass"), 9, _GZIP))
