"""What is counted: retention and positions worked out by hand, failures, ranks, word probabilities."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from compressors import Compressed, CompressionError, Job, Strategy, Word
from policies.tokens import tokenizer
from proxy.evaluation.cases import Case, DataSet, Labelled, Message, joined
from proxy.evaluation.methods import Method
from proxy.evaluation.outcomes import Ranking, Retention, Share, Survival, WordFit
from proxy.evaluation.run import ranking, retention, survival, word_fit
from tests.fakes.compressor import EverySecondWord

TOKENS = tokenizer("o200k_base")
METHOD = Method(name="fake", model="m")


def case(text: str, *answers: str, place: str = "x:1") -> Case:
    return Case(place=place, text=text, question="Which?", answers=answers)


def in_documents(documents: Sequence[str], gold: int, *answers: str) -> Case:
    text, spans = joined(documents)
    return Case(place="x:1", text=text, question="Which?", answers=answers, documents=spans, gold=gold)


def measured(cases: Sequence[Case], compressor: EverySecondWord) -> Retention:
    data = DataSet(name="d", cases=tuple(cases), labelled=())
    return retention(data, METHOD, compressor, 0.5, TOKENS, Strategy(segment_tokens=64))


def test_retention_by_hand() -> None:
    # words 1, 3, 5 … stay
    cases = [
        case("one two three four", "ONE"),  # stays
        case("one two three four", "two", "Three"),  # the second answer stays
        case("one two three four", "two three"),  # broken up
        case("one two three four", "five"),  # not in the text: left out
    ]
    outcome = measured(cases, EverySecondWord())
    assert outcome.answers == Share(2, 3)
    assert outcome.tokens == Share(12, 16)  # `one three ` is three tokens
    assert (outcome.cases, outcome.failures, outcome.positions) == (4, [], {})
    assert outcome.seconds > 0


def test_retention_by_the_gold_documents_position() -> None:
    cases = [
        in_documents(["sun moon", "star comet"], 0, "sun"),  # stays
        in_documents(["sun moon", "star comet"], 0, "moon"),
        in_documents(["sun moon", "star comet"], 1, "star"),  # stays
        in_documents(["sun moon", "star comet"], 1, "planet"),  # not in the text
    ]
    assert measured(cases, EverySecondWord()).positions == {1: Share(1, 2), 2: Share(1, 1)}


def test_a_job_says_all_that_a_method_may_use() -> None:
    compressor = EverySecondWord()
    measured([in_documents(["sun moon", "star comet"], 1, "star")], compressor)
    job = compressor.jobs[-1]
    assert job.text == "sun moon\n\nstar comet"
    assert [job.text[start:end] for start, end in job.contexts] == ["sun moon", "star comet"]
    assert (job.question, job.rate, job.tokenizer) == ("Which?", 0.5, TOKENS)
    assert job.strategy.segment_tokens == 64


class Choosy(EverySecondWord):
    """Fails with a whole batch if it holds a text with `bad` in it."""

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        if any("bad" in job.text for job in jobs):
            raise CompressionError("bad text")
        return super().compress(jobs)


def test_a_case_that_fails_is_counted_and_costs_no_other() -> None:
    cases = [case("one two", "one")] * 50
    cases[0] = case("bad two", "bad", place="x:8")
    cases[40] = case("one bad", "one", place="x:9")
    outcome = measured(cases, Choosy())
    assert outcome.failures == [("x:8", "CompressionError: bad text"), ("x:9", "CompressionError: bad text")]
    assert (outcome.cases, outcome.answers) == (48, Share(48, 48))


def test_nothing_is_swallowed_when_the_user_interrupts() -> None:
    compressor = EverySecondWord()
    compressor.error = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        measured([case("one two", "one")], compressor)


def _lengths(_question: str, documents: Sequence[str]) -> npt.NDArray[np.float64]:
    if "bad" in documents:
        raise CompressionError("bad text")
    return np.array([float(len(document)) for document in documents])


def test_ranks_of_the_gold_documents() -> None:
    cases = (
        in_documents(["a", "bbb", "cc"], 1, "bbb"),  # first
        in_documents(["a", "bbb", "cc"], 0, "a"),  # third
        in_documents(["a", "bbb", "bad"], 0, "a"),  # fails
        in_documents(["only"], 0, "only"),  # nothing to rank
        case("one", "one"),
    )
    outcome = ranking(DataSet(name="d", cases=cases, labelled=()), "length", _lengths)
    assert isinstance(outcome, Ranking)
    assert outcome.ranks == [1, 3]
    assert (outcome.mean_rank, outcome.recall(1), outcome.recall(3)) == (2, 0.5, 1)
    assert outcome.failures == [("x:1", "CompressionError: bad text")]
    assert ranking(DataSet(name="d", cases=cases[3:], labelled=()), "length", _lengths) is None


class Lengths(EverySecondWord):
    """Longer stretches of letters are likelier to stay."""

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        return [
            Compressed(
                spans=(),
                text="",
                original_tokens=1,
                compressed_tokens=0,
                words=tuple(
                    Word(span=match.span(), probability=len(match[0]) / 10, kept=False)
                    for match in re.finditer(r"\w+", job.text)
                ),
            )
            for job in jobs
        ]


def test_word_probabilities_are_compared_with_the_labels() -> None:
    # scores .7, .1 (the longer half of b-c counts), .3, 0 (not a word of the method)
    text = "compass b-c owl --"
    words = ((0, 7), (8, 11), (12, 15), (16, 18))
    rows = [
        Labelled(place="x:1", text=text, question="", words=words, labels=labels)
        for labels in ((1, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 0))
    ]
    data = DataSet(name="d", cases=(), labelled=tuple(rows))
    outcome = word_fit(data, METHOD, Lengths(), TOKENS, Strategy())
    assert isinstance(outcome, WordFit)
    assert outcome.f1 == [1, 0.5]  # the third keeps nothing
    assert outcome.average_precision == [1, pytest.approx((1 + 2 / 3) / 2)]


def test_methods_without_probabilities_have_no_fit() -> None:
    rows = (Labelled(place="x:1", text="a b", question="", words=((0, 1), (2, 3)), labels=(1, 0)),)
    data = DataSet(name="d", cases=(), labelled=rows)
    assert word_fit(data, METHOD, EverySecondWord(), TOKENS, Strategy()) is None


def _survival(*, protected: bool) -> Survival:
    texts = ("one 2 Three not five 6", "Ada Lund never came to Kiel")
    messages = tuple(Message(place=f"x:{number}", text=text) for number, text in enumerate(texts))
    data = DataSet(name="d", cases=(), labelled=(), messages=messages)
    return survival(data, METHOD, EverySecondWord(), 0.5, TOKENS, protected=protected)


def test_what_survives_of_numbers_names_and_negations() -> None:
    # words 1, 3, 5 … stay
    outcome = _survival(protected=False)
    assert outcome.kinds == {"numbers": Share(0, 2), "names": Share(1, 3), "negations": Share(1, 2)}
    assert (outcome.texts, outcome.tokens.whole) == (2, 14)  # the space before a figure is one
    protected = _survival(protected=True)
    assert protected.kinds == {"numbers": Share(2, 2), "names": Share(1, 3), "negations": Share(2, 2)}
    assert protected.tokens.part > outcome.tokens.part


def test_a_message_that_fails_is_left_out() -> None:
    compressor = EverySecondWord()
    compressor.error = CompressionError("no")
    data = DataSet(name="d", cases=(), labelled=(), messages=(Message(place="x:1", text="one 2"),))
    outcome = survival(data, METHOD, compressor, 0.5, TOKENS, protected=False)
    assert outcome.failures == [("x:1", "CompressionError: no")]
    assert (outcome.texts, outcome.kinds["numbers"]) == (0, Share())
