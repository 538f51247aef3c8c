"""What a compressor has to beat: words chosen without a model, at the same number of tokens.

Each baseline is an order in which the words of a text stay; `Baseline` takes the first of them that fill the budget.
Sources: random words and truncation as in LLMLingua-2 (Pan et al. 2024, section 5); unigram surprisal is
Selective-Context (Li et al. 2023) without a language model; BM25 sentence selection as in LongLLMLingua
(Jiang et al. 2024, table 1). Knows no measures.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from compressors import Compressed, Job, render
from compressors.ranking import load_ranker, order
from proxy.evaluation.stopwords import STOP_WORDS
from proxy.evaluation.words import Words

Order = npt.NDArray[np.int64]
"""Numbers of words, the first to stay first; `(W,)`."""


class Baseline:
    """A compressor that keeps the first words of an `order`: as many as come nearest to the job's budget.

    A word takes the white space before it along. The budget is `target_tokens` or `rate` of all tokens; spans
    that must stay are not looked at. Jobs need a `tokenizer`.
    """

    def __init__(self, name: str, order: Callable[[Job, Words], Order]) -> None:
        self.fingerprint = f"baseline {name}"
        self._order = order

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order."""
        return [self._shorten(job) for job in jobs]

    def _shorten(self, job: Job) -> Compressed:
        assert job.tokenizer is not None
        count = job.tokenizer.count
        total = count(job.text)
        budget = total * job.rate if job.target_tokens is None else job.target_tokens
        words = Words.of(job.text)
        if total <= budget or len(words.spans) < 2:
            return _compressed(job.text, ((0, len(job.text)),), total, total)
        order = self._order(job, words)

        def size(kept: int) -> int:
            return count(render(job.text, _spans(words, order[:kept])))

        most = bisect_right(range(1, len(order)), budget, key=size)  # as many as fit
        kept = min((most or 1, most + 1), key=lambda number: abs(size(number) - budget))
        return _compressed(job.text, _spans(words, order[:kept]), total, size(kept))


def _spans(words: Words, kept: Order) -> tuple[tuple[int, int], ...]:
    first, *others = np.sort(kept).tolist()
    return (words.spans[first], *((words.spans[word - 1][1], words.spans[word][1]) for word in others))


def _compressed(text: str, spans: tuple[tuple[int, int], ...], original: int, tokens: int) -> Compressed:
    return Compressed(
        spans=spans, text=render(text, spans), original_tokens=original, compressed_tokens=tokens
    )  # fmt: skip


def baseline(name: str, texts: Iterable[str], seed: int = 0) -> Baseline:
    """The baseline called `name`, one of `BASELINES`.

    `surprisal` takes its word frequencies from `texts`, all that is evaluated: no word list has every language and
    field, and within one collection the rare words are the telling ones. `seed` decides about `random`
    and `stopwords`; a text is shortened alike wherever it stands.
    """
    orders: dict[str, Callable[[Job, Words], Order]] = {
        "random": lambda job, words: _shuffled(job, words, seed),
        "head": lambda _job, words: np.arange(len(words.spans)),
        "tail": lambda _job, words: np.arange(len(words.spans))[::-1],
        "stopwords": lambda job, words: _without_stop_words(job, words, seed),
        "bm25": _by_sentence,
    }
    if name == "surprisal":
        frequencies = _frequencies(texts)
        return Baseline(name, lambda _job, words: _by_surprisal(words, frequencies))
    return Baseline(name, orders[name])


BASELINES = {
    "random": "words at random",
    "head": "the first words",
    "tail": "the last words",
    "stopwords": "words at random, English stop words last",
    "surprisal": "the words that are rarest in the texts evaluated",
    "bm25": "whole sentences by BM25 with the question, the last one cut",
}


def _shuffled(job: Job, words: Words, seed: int) -> Order:
    return np.random.default_rng([seed, zlib.crc32(job.text.encode())]).permutation(len(words.spans))


def _without_stop_words(job: Job, words: Words, seed: int) -> Order:
    order = _shuffled(job, words, seed)
    forms = words.forms
    stops = np.array([forms[word].replace("’", "'") in STOP_WORDS for word in order])
    return order[np.argsort(stops, kind="stable")]


def _frequencies(texts: Iterable[str]) -> Counter[str]:
    return Counter(form for text in sorted(set(texts)) for form in Words.of(text).forms)


def _by_surprisal(words: Words, frequencies: Counter[str]) -> Order:
    # punctuation alone says nothing, whatever its frequency
    surprisal = [-math.log(frequencies[form] or 1) if form else -math.inf for form in words.forms]
    return np.argsort(-np.array(surprisal), kind="stable")


def _by_sentence(job: Job, words: Words) -> Order:
    """Sentences by falling score, in each the words as they stand; sentences that score alike in their order."""
    numbers = words.sentences  # (W,)
    edges = [*np.flatnonzero(np.diff(numbers, prepend=-1)).tolist(), len(numbers)]
    sentences = [
        job.text[words.spans[first][0] : words.spans[last - 1][1]] for first, last in pairwise(edges)
    ]
    best_first = order(load_ranker("bm25").scores(job.question, sentences))
    places = np.argsort(best_first)  # (S,)
    return np.argsort(places[numbers], kind="stable")
