"""LLMLingua and LongLLMLingua in the default mode: what must hold whatever the model thinks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compressors import CompressionError, Job, Strategy, render
from policies.tokens import tokenizer

COUNTER = tokenizer("o200k_base")
METHODS = ["llmlingua", "longllmlingua"]
SENTENCE = "The committee met in room {n} and didn't agree on the price of the old bridge, not yet. "
DOCUMENTS = [f"[{n}] (Title {n}) " + (SENTENCE.format(n=n) * (2 + n % 3)).strip() for n in range(8)]
PROMPT = "Read this.\n\n" + "\n---\n".join(DOCUMENTS) + "\n\nQuestion: what is the price?"
QUESTION = "what is the price?"
slow = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def spans_of(parts: list[str]) -> tuple[tuple[int, int], ...]:
    starts = [PROMPT.index(part) for part in parts]
    return tuple((start, start + len(part)) for start, part in zip(starts, parts, strict=True))


def prompt_job(**fields: Any) -> Job:
    end = PROMPT.index("\n\nQuestion")
    base: dict[str, Any] = {
        "text": PROMPT,
        "contexts": spans_of(DOCUMENTS),
        "heads": spans_of([f"[{n}] (Title {n})" for n in range(8)]),
        "verbatim": ((0, 12), (end, len(PROMPT))),
        "question": QUESTION,
        "tokenizer": COUNTER,
    }
    return Job(**(base | fields))


STRATEGIES = [
    Strategy(),
    Strategy(order="sort"),
    Strategy(order="two_stage", dynamic_ratio=0.3),
    Strategy(condition="before", rankers=("perplexity",)),
    Strategy(condition="none", sentence_filter=True, first_sentences=1),
    Strategy(rankers=("bm25", "gzip"), contrast=False),
    Strategy(segment_tokens=30, last_sentences=1, sentence_filter=True),
    Strategy(segment_tokens=30, contrast=False, document_filter=False),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("rate", [0.3, 0.6])
def test_a_prompt_of_documents_meets_its_budget_and_stays_whole_where_it_must(
    causal: Callable[[str], Any], method: str, strategy: Strategy, rate: float
) -> None:
    job = prompt_job(rate=rate, strategy=strategy)
    [result] = causal(method).compress([job])
    assert result.text == render(PROMPT, result.spans)
    assert result.text.startswith("Read this.\n\n")
    assert result.text.endswith("\n\nQuestion: what is the price?")
    around = COUNTER.count(PROMPT[:12]) + COUNTER.count(PROMPT[PROMPT.index("\n\nQuestion") :])
    target = around + rate * (COUNTER.count(PROMPT) - around)
    assert result.compressed_tokens <= target
    assert result.compressed_tokens >= 0.97 * target - 12
    for number in range(8):  # the head and something of the body, or nothing at all
        body = f"room {number}" in result.text or result.text.count(f"(Title {number})")
        assert bool(body) == (f"[{number}] (Title {number})" in result.text)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", ["original", "sort", "two_stage"])
def test_documents_are_rearranged_and_nothing_else(
    causal: Callable[[str], Any], method: str, order: Any
) -> None:
    strategy = Strategy(order=order, document_filter=False, token_filter=False)
    [result] = causal(method).compress([prompt_job(rate=0.5, strategy=strategy)])
    assert sorted(result.text) == sorted(PROMPT)
    places = [result.text.index(document) for document in DOCUMENTS]
    assert (places == sorted(places)) == (order == "original")
    assert result.text.count("\n---\n") == 7


@pytest.mark.parametrize("method", METHODS)
def test_a_dropped_document_goes_with_its_separator(causal: Callable[[str], Any], method: str) -> None:
    [result] = causal(method).compress([prompt_job(rate=0.4, strategy=Strategy(token_filter=False))])
    left = [document for document in DOCUMENTS if document.strip() in result.text]
    assert 0 < len(left) < len(DOCUMENTS)
    assert result.text == "Read this.\n\n" + "\n---\n".join(left) + "\n\nQuestion: what is the price?"
    assert result.dropped
    for start, end in result.dropped:
        assert not any(start < e and s < end for s, e in result.spans if PROMPT[s:e].strip())


def test_preferred_sentences_stay(causal: Callable[[str], Any]) -> None:
    sentences = [f"Sentence {n} tells how room {n * 3} was found." for n in range(12)]
    text = " ".join(sentences)
    filters: dict[str, Any] = {"sentence_filter": True, "token_filter": False, "sentence_budget": 0.5}
    for strategy, least in [
        (Strategy(first_sentences=1, last_sentences=1, **filters), {sentences[0], sentences[-1]}),
        (Strategy(min_sentences=9, **filters), set()),
    ]:
        [result] = causal("llmlingua").compress([Job(text=text, rate=0.4, strategy=strategy)])
        left = {sentence for sentence in sentences if sentence in result.text}
        assert least <= left
        assert strategy.min_sentences <= len(left) < 12


def test_forced_documents_stay(causal: Callable[[str], Any]) -> None:
    strategy = Strategy(kept_documents=(7,), min_documents=3)
    [result] = causal("longllmlingua").compress([prompt_job(rate=0.1, strategy=strategy)])
    assert "[7] (Title 7)" in result.text
    assert sum(f"(Title {n})" in result.text for n in range(8)) >= 3


@pytest.mark.parametrize("method", METHODS)
def test_each_token_is_read_once_and_kept_ones_twice(causal: Callable[[str], Any], method: str) -> None:
    text = SENTENCE.format(n=4) * 60
    model = causal(method)._causal
    for rate, segments in [(0.5, None), (0.2, None), (0.5, 40), (0.2, 40)]:
        before = model.forwarded_tokens
        job = Job(text=text, rate=rate, tokenizer=COUNTER, strategy=Strategy(segment_tokens=segments))
        causal(method).compress([job])
        tokens = len(causal(method)._reader.read(text, [(0, len(text))]).ids)
        starts = 2 * tokens // 256 + 20  # BOS of each window, and one token a segment that stays in any case
        assert model.forwarded_tokens - before <= (1 + rate) * tokens + starts


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "word",
        "two words",
        "\n\n\n",
        "?",
        "日本語のテキスト",
        "a" * 3000,
        "\ud800 x",
        "<s> </s> <s>",
    ],
)
@pytest.mark.parametrize("question", ["", "why?", "why " * 500])
def test_nothing_fails_on_short_or_odd_texts(
    causal: Callable[[str], Any], method: str, text: str, question: str
) -> None:
    contexts = ((0, len(text)),) if text else ()
    jobs = [
        Job(text=text, rate=0.5, question=question, tokenizer=COUNTER),
        Job(text=text, rate=0.5, question=question, contexts=contexts),
        Job(text=text, target_tokens=0, question=question, strategy=Strategy(segment_tokens=8)),
    ]
    for result in causal(method).compress(jobs):
        assert len(result.text) <= len(text)
        assert bool(result.text.strip()) == bool(text.strip())


@pytest.mark.parametrize("method", METHODS)
def test_empty_documents_are_no_trouble(causal: Callable[[str], Any], method: str) -> None:
    text = "first document here\n \n?\nlast document there"
    contexts = ((0, 19), (20, 21), (22, 23), (24, len(text)))
    [result] = causal(method).compress([Job(text=text, rate=0.5, contexts=contexts, question="where?")])
    assert result.text.strip()


@pytest.mark.parametrize("condition", ["after", "before", "none"])
@pytest.mark.parametrize("rankers", [("perplexity",), ("bm25", "perplexity")])
def test_one_document_needs_no_ranking(
    causal: Callable[[str], Any], condition: Any, rankers: tuple[str, ...]
) -> None:
    text = SENTENCE.format(n=1) * 6
    strategy = Strategy(rankers=rankers, condition=condition)
    job = Job(text=text, rate=0.5, contexts=((0, len(text)),), question=QUESTION, strategy=strategy)
    [result] = causal("longllmlingua").compress([job])
    assert 0 < result.compressed_tokens < result.original_tokens
    assert not result.dropped


@pytest.mark.parametrize("condition", ["after", "before", "none"])
def test_a_document_that_is_not_read_spoils_no_ranking(causal: Callable[[str], Any], condition: Any) -> None:
    code = "def cross(bridge):\n    return bridge.price\n"
    documents = [SENTENCE.format(n=1) * 3, code, "The price of it all is 1911, a price to pay. " * 3]
    text = "\n\n".join(documents)
    starts = [text.index(document) for document in documents]
    contexts = tuple((s, s + len(d)) for s, d in zip(starts, documents, strict=True))
    strategy = Strategy(condition=condition, order="sort", token_filter=False, document_filter=False)
    job = Job(text=text, contexts=contexts, verbatim=(contexts[1],), question="price?", strategy=strategy)
    rankings = []
    for rankers in [("bm25", "embedding"), ("bm25", "perplexity"), ("perplexity",)]:
        asked = replace(job, strategy=replace(strategy, rankers=rankers))
        [result] = causal("longllmlingua").compress([asked])
        rankings.append(sorted(range(3), key=lambda place: result.text.index(documents[place].strip())))
    assert all(sorted(ranking) == [0, 1, 2] for ranking in rankings)
    assert rankings[2][1] == 1  # neither better nor worse than the others are on average


@pytest.mark.parametrize("method", METHODS)
def test_hundreds_of_documents(causal: Callable[[str], Any], method: str) -> None:
    documents = [f"Document {n} says {n * 7}." for n in range(400)]
    text = "\n".join(documents)
    starts = [text.index(document) for document in documents]
    contexts = tuple((s, s + len(d)) for s, d in zip(starts, documents, strict=True))
    [result] = causal(method).compress(
        [
            Job(
                text=text,
                rate=0.2,
                contexts=contexts,
                question="what does document 17 say?",
                tokenizer=COUNTER,
            )
        ]
    )
    assert result.compressed_tokens <= 0.2 * result.original_tokens


@pytest.mark.parametrize("method", METHODS)
@slow
@given(
    numbers=st.lists(st.integers(0, 7), min_size=1, max_size=12),
    rate=st.floats(0.1, 1),
    question=st.sampled_from(["", QUESTION]),
    data=st.data(),
)
def test_any_text(
    causal: Callable[[str], Any],
    method: str,
    numbers: list[int],
    rate: float,
    question: str,
    data: st.DataObject,
) -> None:
    text = "".join(DOCUMENTS[number] for number in numbers)
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    verbatim = tuple((a, b) for a, b in list(pairwise(edges))[::2])
    job = Job(
        text=text,
        rate=rate,
        question=question,
        verbatim=verbatim,
        tokenizer=COUNTER,
        strategy=data.draw(st.sampled_from(STRATEGIES)),
        word_labels=True,
    )
    [result] = causal(method).compress([job])
    assert all(left[1] < right[0] for left, right in pairwise(result.spans))
    assert result.text == render(text, result.spans)
    assert result.compressed_tokens == COUNTER.count(result.text)
    if not job.strategy.sentence_filter:
        assert all(any(s <= a and b <= e for s, e in result.spans) for a, b in verbatim)
        assert not result.dropped
    assert causal(method).compress([job])[0] == result


@pytest.mark.parametrize("method", METHODS)
@slow
@given(
    text=st.text(st.sampled_from("ab .\n?1"), max_size=60),
    question=st.sampled_from(["", QUESTION]),
    strategy=st.sampled_from(STRATEGIES),
    data=st.data(),
)
def test_any_documents(
    causal: Callable[[str], Any],
    method: str,
    text: str,
    question: str,
    strategy: Strategy,
    data: st.DataObject,
) -> None:
    def spans() -> tuple[tuple[int, int], ...]:
        edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
        return tuple(zip(edges[::2], edges[1::2], strict=False))

    job = Job(
        text=text,
        rate=0.4,
        question=question,
        strategy=strategy,
        verbatim=spans(),
        contexts=spans(),
        heads=spans(),
    )
    [result] = causal(method).compress([job])
    kept = sorted(result.spans)
    assert all(left[1] <= right[0] for left, right in pairwise(kept))
    assert result.text == render(text, result.spans)
    assert bool(result.text.strip()) == bool(text.strip())
    characters = {at for start, end in kept for at in range(start, end)}
    gone = {at for start, end in result.dropped for at in range(start, end)}
    assert all(set(range(*span)) <= characters for span in job.verbatim if not gone & set(range(*span)))


@pytest.mark.parametrize("method", METHODS)
def test_rate_one_is_the_identity(causal: Callable[[str], Any], method: str) -> None:
    [result] = causal(method).compress([prompt_job(rate=1.0)])
    assert result.text == PROMPT


@pytest.mark.parametrize("method", METHODS)
def test_neighbours_change_no_decision(causal: Callable[[str], Any], method: str) -> None:
    jobs = [prompt_job(rate=rate, strategy=strategy) for rate in (0.3, 0.7) for strategy in STRATEGIES]
    together = causal(method).compress(jobs)
    assert [causal(method).compress([job])[0] for job in jobs] == together


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("strategy", [Strategy(), Strategy(segment_tokens=50)])
def test_the_budget_is_met_within_one_percent(
    causal: Callable[[str], Any], method: str, rate: float, strategy: Strategy
) -> None:
    text = "".join(SENTENCE.format(n=n) for n in range(60))
    job = Job(text=text, rate=rate, question=QUESTION, tokenizer=COUNTER, strategy=strategy)
    [result] = causal(method).compress([job])
    assert (
        0.99 * rate * result.original_tokens - 1 <= result.compressed_tokens <= rate * result.original_tokens
    )


def test_the_tail_is_compressed_as_well(causal: Callable[[str], Any]) -> None:
    text = SENTENCE.format(n=1) * 40
    [result] = causal("llmlingua").compress([Job(text=text, rate=0.4, tokenizer=COUNTER)])
    half = len(text) // 2
    kept = sum(end - start for start, end in result.spans)
    late = sum(max(end - max(start, half), 0) for start, end in result.spans)
    assert 0.3 < late / kept < 0.7


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"order": "best"}, "original, sort, two_stage"),
        ({"condition": "during"}, "after, before, none"),
        ({"dynamic_ratio": 2}, "0 to 1"),
        ({"document_budget": "+x"}, "x"),
        ({"rankers": ()}, "at least one"),
    ],
)
def test_a_wrong_strategy_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(CompressionError, match=message):
        Strategy(**fields)


def test_probabilities_are_not_for_causal_models(causal: Callable[[str], Any]) -> None:
    with pytest.raises(CompressionError, match="min_probability"):
        causal("llmlingua").compress([Job(text=PROMPT, min_probability=0.5)])


def test_an_unknown_ranker_is_named(causal: Callable[[str], Any]) -> None:
    with pytest.raises(CompressionError, match="bm26"):
        causal("longllmlingua").compress([prompt_job(rate=0.5, strategy=Strategy(rankers=("bm26",)))])
