"""Ranks texts as `llmlingua` 0.2.2 does: by the causal model's surprise, by words, by compression.

Owns the rules for rows and signs. Knows no budgets.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi  # type: ignore[import-untyped]

from compressors.causal import Causal, Continuation
from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.parameters import Parameters
from compressors.reading import TokenIds

RESTRICTIVE = " We can get the answer to this question in the given documents."


class Ranking:
    """Ranks the texts of one prompt. `window` is the most tokens of a sequence; the rest isn't read."""

    def __init__(self, causal: Causal, codec: Codec, window: int) -> None:
        self._causal = causal
        self._codec = codec
        self._window = window

    def order(self, texts: Sequence[str], settings: Parameters) -> list[int]:
        """Places of `texts`, the best first."""
        if settings.rank_method == "bm25":
            return _by_words(texts, settings.question)
        if settings.rank_method == "gzip":
            return _by_compression(texts, settings.question)
        scores = self.surprises(texts, settings.question + RESTRICTIVE, settings.condition)
        return in_order(scores, descending=settings.descending)

    def surprises(self, texts: Sequence[str], question: str, condition: str) -> list[float]:
        """Mean nats of a token, one value a text; NaN where there is none to measure.

        With `condition` "after" they are of the question's tokens, given the text; with "before" of the
        text's, given the question; else of the text's alone.
        """
        joined = [_joined(text, question, condition) for text in texts]
        self._codec.prepare([question, *texts, *joined])
        known = self._codec.length(question) - 1
        sequences = []
        firsts = []
        for text, whole in zip(texts, joined, strict=True):
            skipped = {"after": self._codec.length(text) - 1, "before": known}.get(condition, 0)
            sequences.append(self._codec.framed(whole)[: self._window])
            # surprises are numbered from the second token on; a negative number counts from the end
            firsts.append(slice(skipped, None).indices(max(len(sequences[-1]) - 1, 0))[0])
        return self._means(sequences, firsts, shared=known + 1 if condition == "before" else 1)

    def _means(self, sequences: list[TokenIds], firsts: list[int], shared: int) -> list[float]:
        """The mean surprise of each sequence's tokens after `firsts`; equal sequences are read once."""
        asked = {
            (ids.tobytes(), first): (ids, first)
            for ids, first in zip(sequences, firsts, strict=True)
            if first + 1 < len(ids)
        }
        common = _common([ids for ids, _ in asked.values()], shared)
        continuations = [
            Continuation(ids[:common], ids[common:], judged=(first + 1 - common, len(ids) - common))
            for ids, first in asked.values()
        ]
        states = self._causal.read(continuations)
        values = self._causal.surprisals(states, [ids[first + 1 :] for ids, first in asked.values()])
        means = {key: float(part.mean()) for key, part in zip(asked, values, strict=True)}
        keys = ((ids.tobytes(), first) for ids, first in zip(sequences, firsts, strict=True))
        return [means.get(key, float("nan")) for key in keys]


def in_order(scores: Sequence[float], *, descending: bool) -> list[int]:
    """Places by score, ties by place; a text without a score (NaN) confuses the order as in the package."""
    sign = -1 if descending else 1
    return sorted(range(len(scores)), key=lambda place: sign * scores[place])


def _joined(text: str, question: str, condition: str) -> str:
    return {"after": text + question, "before": question + text}.get(condition, text)


def _common(sequences: Sequence[TokenIds], most: int) -> int:
    """The number of leading tokens, up to `most`, that all sequences have in common; at least 1."""
    shortest = min([most, *map(len, sequences)])
    if len(sequences) < 2 or shortest <= 1:
        return 1
    rows: npt.NDArray[np.int64] = np.stack([ids[:shortest] for ids in sequences])  # (N, shortest)
    differ = np.flatnonzero((rows != rows[0]).any(axis=0))
    return max(1, int(differ[0]) if len(differ) else shortest)


def _by_words(texts: Sequence[str], question: str) -> list[int]:
    tokenized = [text.split(" ") for text in texts]
    if not tokenized:
        return []
    scores = BM25Okapi(tokenized).get_scores(question.split(" "))
    return [int(place) for place in (-scores).argsort()]


def _by_compression(texts: Sequence[str], question: str) -> list[int]:
    asked = _size(question)
    distances = []
    for text in texts:
        own = _size(text)
        distances.append((_size(f"{text} {question}") - min(own, asked)) / max(own, asked))
    return [int(place) for place in np.argsort(distances)]


def _size(text: str) -> int:
    return len(gzip.compress(text.encode("utf-8", "surrogatepass")))
