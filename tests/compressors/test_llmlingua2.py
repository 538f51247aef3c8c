"""What the default mode promises, on the embedded model and on real-looking text."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from compressors import CompressionError, Compressor, Job, Strategy
from policies.tokens import tokenizer

MINUTES = """Minutes of the budget meeting, 3 March 2024

Chair: Good morning everyone, and thank you all for coming on such short notice today.
Treasurer: Well, so, what I would like to say is that the total budget is $1,240,000, about 5% less than last year.
    - Roads and bridges: $410,000, which was basically agreed upon already back in February.
    - Schools: $530,000? We have not yet decided on that, I think.
Chair: Okay, is there anything else that anybody would like to add before we vote on item 7?

The motion wasn't carried. The committee will meet again on 17 March at 10:30 in room 4.
"""
TARGETS = [0.9, 0.7, 0.5, 0.33, 0.1]


def words_of(text: str) -> set[str]:
    return set(text.split())


@pytest.mark.parametrize("rate", TARGETS)
def test_the_budget_is_met_in_the_upstreams_tokens(embedded: Compressor, rate: float) -> None:
    o200k = tokenizer("o200k_base")
    [result] = embedded.compress([Job(text=MINUTES * 8, rate=rate, tokenizer=o200k)])
    target = rate * o200k.count(MINUTES * 8)
    assert result.compressed_tokens == o200k.count(result.text)
    assert min(0.99 * target, target - 6) <= result.compressed_tokens <= target  # 6: the longest word


def test_a_target_in_tokens(embedded: Compressor) -> None:
    [result] = embedded.compress([Job(text=MINUTES, target_tokens=60)])
    assert 50 <= result.compressed_tokens <= 60


def test_the_least_probable_words_go(embedded: Compressor) -> None:
    [result] = embedded.compress([Job(text=MINUTES, rate=0.5, word_labels=True)])
    kept = [word.probability for word in result.words if word.kept]
    dropped = [word.probability for word in result.words if not word.kept]
    assert min(kept) >= max(dropped)


def test_verbatim_blocks_are_not_counted_against_the_rate(embedded: Compressor) -> None:
    block = '{"a": [1, 2, 3], "b": null}\n' * 20
    text = MINUTES + block + MINUTES
    span = (len(MINUTES), len(MINUTES) + len(block))
    o200k = tokenizer("o200k_base")
    [result] = embedded.compress([Job(text=text, rate=0.5, verbatim=(span,), tokenizer=o200k)])
    target = o200k.count(block) + 0.5 * 2 * o200k.count(MINUTES)
    assert block in result.text
    assert result.compressed_tokens == pytest.approx(target, rel=0.02)


def test_the_model_does_not_read_verbatim_blocks(embedded: Compressor) -> None:
    def kept(block: str) -> str:
        text = MINUTES + block + MINUTES
        job = Job(text=text, min_probability=0.5, verbatim=((len(MINUTES), len(MINUTES) + len(block)),))
        return embedded.compress([job])[0].text.replace(block, "")

    assert kept("{1}") == kept("<" + "z " * 50 + ">")


def test_probability_selection_keeps_all_at_or_above(embedded: Compressor) -> None:
    [result] = embedded.compress([Job(text=MINUTES, min_probability=0.6, word_labels=True)])
    assert {word.kept for word in result.words if word.probability >= 0.6} == {True}
    assert {word.kept for word in result.words if word.probability < 0.6} == {False}


def test_forced_spans_and_tokens_and_digits_stay(embedded: Compressor) -> None:
    at = MINUTES.index("such short notice")
    job = Job(
        text=MINUTES,
        rate=0.2,
        forced=((at, at + 17),),
        force_tokens=("\n", "?", "not"),
        force_reserve_digit=True,
    )
    [result] = embedded.compress([job])
    assert "such short notice" in result.text
    assert result.text.count("\n") == MINUTES.count("\n")
    assert result.text.count("?") == MINUTES.count("?")
    assert words_of(result.text) >= {"not"}
    for number in ("2024", "$1,240,000", "5%", "$410,000", "10:30"):
        assert number in result.text


def test_repeated_force_tokens_with_nothing_between_are_dropped(embedded: Compressor) -> None:
    job = Job(text=MINUTES, rate=0.2, force_tokens=("\n",), drop_consecutive=True)
    [result] = embedded.compress([job])
    assert "\n\n" not in result.text
    assert 2 <= result.text.count("\n") < MINUTES.count("\n")


def test_whole_documents_go_and_the_budget_is_still_met(embedded: Compressor) -> None:
    filler = "well so you know it is what it is and that is that I guess or so they say anyway. " * 6
    documents = [MINUTES, filler, MINUTES, filler]
    edges = [sum(map(len, documents[:i])) for i in range(5)]
    contexts = tuple(pairwise(edges))
    text = "".join(documents)
    job = Job(text=text, rate=0.45, contexts=contexts, context_rate=0.5)
    [result] = embedded.compress([job])
    assert not any(text[max(s, edges[1]) : min(e, edges[2])].strip() for s, e in result.spans)
    assert not any(text[max(s, edges[3]) : min(e, edges[4])].strip() for s, e in result.spans)
    target = 0.45 * result.original_tokens
    assert 0.98 * target <= result.compressed_tokens <= target


def test_every_document_keeps_something_if_none_may_go(embedded: Compressor) -> None:
    filler = "well so you know it is what it is and that is that I guess or so they say anyway. " * 6
    documents = [MINUTES, filler] * 3
    edges = [sum(map(len, documents[:i])) for i in range(7)]
    job = Job(text="".join(documents), rate=0.3, contexts=tuple(pairwise(edges)))
    [some, every] = embedded.compress([job, replace(job, strategy=Strategy(document_filter=False))])
    assert some.dropped
    assert not every.dropped


def test_text_that_stands_between_empty_documents_stays(embedded: Compressor) -> None:
    job = Job(text=" the", rate=0.5, verbatim=((0, 1), (2, 4)), contexts=((0, 1), (3, 4)))
    [result] = embedded.compress([job])
    assert result.text.strip()


def test_context_rate_alone_drops_documents_and_keeps_the_others_whole(embedded: Compressor) -> None:
    other = "um so yeah and the the thing is is you know what I mean right. " * 8
    contexts = ((0, len(MINUTES)), (len(MINUTES), len(MINUTES) + len(other)))
    [result] = embedded.compress([Job(text=MINUTES + other, rate=1.0, contexts=contexts, context_rate=0.5)])
    assert result.text.rstrip() == MINUTES.rstrip()


def test_the_result_does_not_depend_on_neighbours_or_order(embedded: Compressor) -> None:
    texts = [MINUTES, MINUTES[:200], MINUTES * 2, "One short sentence, that is all.", MINUTES[100:]]
    jobs = [Job(text=text, rate=0.4, word_labels=True) for text in texts]
    together = embedded.compress(jobs)
    assert embedded.compress(jobs[::-1])[::-1] == together
    assert [embedded.compress([job])[0] for job in jobs] == together


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "word", "  word\n", "!", "\u200b", "\ud800"])
def test_texts_with_nothing_to_drop_stay(embedded: Compressor, text: str) -> None:
    [result] = embedded.compress([Job(text=text, rate=0.3)])
    assert result.text == text
    assert not result.unreadable


def test_a_text_that_is_all_verbatim_stays(embedded: Compressor) -> None:
    [result] = embedded.compress([Job(text=MINUTES, rate=0.3, verbatim=((0, len(MINUTES)),))])
    assert result.text == MINUTES


def test_something_always_stays(embedded: Compressor) -> None:
    [result] = embedded.compress([Job(text="one two three four", rate=0.01)])
    assert result.text in {"one", "two", "three", "four"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0.0},
        {"rate": float("nan")},
        {"target_tokens": -1},
        {"min_probability": 1.5},
        {"context_rate": 0.0},
        {"verbatim": ((2, 1),)},
        {"forced": ((0, 2), (1, 3))},
        {"contexts": ((0, 99),)},
    ],
)
def test_senseless_jobs_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CompressionError, match=next(iter(wrong))):
        Job(text="some text", **wrong)  # type: ignore[arg-type]
