"""Runs methods and rankers over data sets, in slices, and goes on after a failure.

Owns jobs, timing and failures. Knows no model and no output. Times cover the calls of the compressor or ranker alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from compressors import (
    Compressed,
    Compressor,
    Job,
    Strategy,
    Tokenizer,
    average_precision,
    f1_at_reference_rate,
)
from policies.protection import KINDS as PROTECTED
from policies.protection import Protection, protect
from proxy.evaluation.cases import Case, DataSet, Labelled
from proxy.evaluation.kinds import KINDS, words_by_kind
from proxy.evaluation.measures import position, rank, survives
from proxy.evaluation.methods import Method
from proxy.evaluation.outcomes import Ranking, Retention, Share, Survival, WordFit

_SLICE = 32
T = TypeVar("T")
R = TypeVar("R")
Scores = Callable[[str, Sequence[str]], npt.NDArray[np.floating[Any]]]
"""From a question and documents to one score a document, higher for a better one."""


def retention(
    data: DataSet,
    method: Method,
    compressor: Compressor,
    rate: float,
    tokenizer: Tokenizer,
    strategy: Strategy,
    targets: Sequence[int | None] | None = None,
) -> Retention:
    """Shorten every case of `data` to `rate` and see what survives.

    `targets`, where there is one for a case, are tokens to shorten it to in place of `rate`.
    """
    outcome = Retention(data=data.name, method=method, rate=rate)
    jobs = [
        _job(case, rate, target, tokenizer, strategy)
        for case, target in zip(data.cases, targets or [None] * len(data.cases), strict=True)
    ]
    results, outcome.seconds = _timed(compressor.compress, jobs)
    for case, result in zip(data.cases, results, strict=True):
        if isinstance(result, Compressed):
            _count(outcome, case, result, tokenizer)
        else:
            outcome.taken.append(None)
            outcome.failures.append((case.place, _reason(result)))
    return outcome


def _job(case: Case, rate: float, target: int | None, tokenizer: Tokenizer, strategy: Strategy) -> Job:
    return Job(
        text=case.text,
        rate=rate,
        target_tokens=target,
        tokenizer=tokenizer,
        contexts=case.documents,
        question=case.question,
        strategy=strategy,
    )


def _count(outcome: Retention, case: Case, result: Compressed, tokenizer: Tokenizer) -> None:
    outcome.cases += 1
    outcome.unreadable += result.unreadable
    taken = tokenizer.count(result.text)  # a method may count in other tokens
    outcome.taken.append(taken)
    outcome.tokens.part += taken
    outcome.tokens.whole += tokenizer.count(case.text)
    if not survives(case.answers, case.text):
        return
    survived = survives(case.answers, result.text)
    outcome.answers.add(survived)
    if case.gold is not None:
        place = position(case.gold, len(case.documents))
        outcome.positions.setdefault(place, Share()).add(survived)


def ranking(data: DataSet, name: str, scores: Scores) -> Ranking | None:
    """Where the ranker called `name` places the gold documents; None if `data` has no case with one among several."""
    cases = [case for case in data.cases if case.gold is not None and len(case.documents) > 1]
    if not cases:
        return None
    outcome = Ranking(data=data.name, ranker=name)

    def ranks(some: Sequence[Case]) -> list[int]:
        return [rank(scores(case.question, case.passages), case.gold or 0) for case in some]

    results, outcome.seconds = _timed(ranks, cases)
    for case, result in zip(cases, results, strict=True):
        if isinstance(result, int):
            outcome.ranks.append(result)
        else:
            outcome.failures.append((case.place, _reason(result)))
    return outcome


def word_fit(
    data: DataSet, method: Method, compressor: Compressor, tokenizer: Tokenizer, strategy: Strategy
) -> WordFit | None:
    """How the method's word probabilities fit the labels of `data`; None if either has none."""
    rows = [row for row in data.labelled if any(row.labels)]
    jobs = [
        Job(text=row.text, question=row.question, word_labels=True, tokenizer=tokenizer, strategy=strategy)
        for row in rows
    ]
    outcome = WordFit(data=data.name, method=method)
    for row, result in zip(rows, _timed(compressor.compress, jobs)[0], strict=True):
        if not isinstance(result, Compressed):
            outcome.failures.append((row.place, _reason(result)))
        elif result.words:
            scores = _probabilities(row, result)
            outcome.f1.append(f1_at_reference_rate(scores, row.labels))
            outcome.average_precision.append(average_precision(scores, row.labels))
    return outcome if outcome.f1 or outcome.failures else None


def survival(
    data: DataSet,
    method: Method,
    compressor: Compressor,
    rate: float,
    tokenizer: Tokenizer,
    *,
    protected: bool,
) -> Survival:
    """Shorten every message of `data` to `rate` of its tokens and see which numbers, names and negations survive.

    With `protected`, what policies protect by default must stay; the number of tokens is the same, as far as that
    is possible.
    """
    outcome = Survival(data=data.name, method=method, rate=rate, protected=protected)
    outcome.kinds = {kind: Share() for kind in KINDS}
    jobs = [_whole_job(message.text, rate, tokenizer, protected=protected) for message in data.messages]
    results, outcome.seconds = _timed(compressor.compress, jobs)
    for message, result in zip(data.messages, results, strict=True):
        if not isinstance(result, Compressed):
            outcome.failures.append((message.place, _reason(result)))
            continue
        outcome.texts += 1
        outcome.unreadable += result.unreadable
        outcome.tokens.part += tokenizer.count(result.text)
        outcome.tokens.whole += tokenizer.count(message.text)
        kept = np.zeros(len(message.text), dtype=np.bool_)  # each character
        for span in result.spans:
            kept[slice(*span)] = True
        for kind, words in words_by_kind(message.text).items():
            for start, end in words:
                outcome.kinds[kind].add(bool(kept[start:end].all()))
    return outcome


def _whole_job(text: str, rate: float, tokenizer: Tokenizer, *, protected: bool) -> Job:
    protection = protect(text, PROTECTED) if protected else Protection((), ())
    return Job(
        text=text,
        target_tokens=round(rate * tokenizer.count(text)),
        verbatim=protection.blocks,
        forced=protection.inline,
        tokenizer=tokenizer,
    )


def _probabilities(row: Labelled, result: Compressed) -> list[float]:
    """For each of the row's words the highest probability of a word that overlaps it; 0 if none does."""
    probability = np.zeros(len(row.text))  # of each character
    for word in result.words:
        probability[slice(*word.span)] = word.probability
    return [float(probability[start:end].max()) for start, end in row.words]


def _timed(
    call: Callable[[Sequence[T]], list[R]], items: Sequence[T]
) -> tuple[list[R | BaseException], float]:
    """`call` on slices of `items`: for each item its result or what was raised, and the seconds of what succeeded."""
    _attempt(call, items[:1])  # what is loaded at the first call is not timed
    results: list[R | BaseException] = []
    seconds = 0.0
    for start in range(0, len(items), _SLICE):
        some, taken = _attempt(call, items[start : start + _SLICE])
        results += some
        seconds += taken
    return results, seconds


def _attempt(
    call: Callable[[Sequence[T]], list[R]], items: Sequence[T]
) -> tuple[list[R | BaseException], float]:
    started = time.perf_counter()
    try:
        return [*call(items)], time.perf_counter() - started
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # libraries in Rust panic with more than an Exception
        if len(items) == 1:
            return [error], 0.0
    parts = [_attempt(call, [item]) for item in items]  # one bad case must not cost its neighbours
    return [result for results, _ in parts for result in results], sum(seconds for _, seconds in parts)


def _reason(error: object) -> str:
    return f"{type(error).__name__}: {error}"[:200]
