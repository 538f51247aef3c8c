"""Baselines keep what their names say, and as many tokens as asked for."""

from __future__ import annotations

import random

import pytest

from compressors import Compressed, Job
from policies.tokens import tokenizer
from proxy.evaluation.baselines import BASELINES, baseline
from proxy.evaluation.words import Words

TOKENS = tokenizer("o200k_base")
COMMON = ["the", "of", "a", "to", "and", "in", "is", "that"]
RARE = [
    "budget",
    "Thursday",
    "committee",
    "granite",
    "lighthouse",
    "1973",
    "harbour",
    "Lund",
    "violet",
    "mill",
]


def texts(count: int = 12) -> list[str]:
    """Generated prose: sentences of common and rare words, in paragraphs."""
    draw = random.Random(5)
    made = []
    for _ in range(count):
        sentences = [
            " ".join(draw.choice(COMMON if draw.random() < 0.5 else RARE) for _ in range(draw.randint(5, 15)))
            for _ in range(draw.randint(15, 30))
        ]
        made.append("".join(f"{s.capitalize()}.{draw.choice([' ', ' ', chr(10) * 2])}" for s in sentences))
    return made


def shortened(name: str, text: str, rate: float, question: str = "", seed: int = 0) -> Compressed:
    job = Job(text=text, rate=rate, question=question, tokenizer=TOKENS)
    return baseline(name, texts(), seed).compress([job])[0]


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("rate", [0.25, 0.5, 0.8])
def test_the_budget_is_met_within_one_percent(name: str, rate: float) -> None:
    results = [shortened(name, text, rate, "Where is the granite lighthouse?") for text in texts()]
    original = sum(result.original_tokens for result in results)
    assert sum(result.compressed_tokens for result in results) == pytest.approx(rate * original, rel=0.01)
    for text, result in zip(texts(), results, strict=True):
        assert result.original_tokens == TOKENS.count(text)
        assert result.compressed_tokens == TOKENS.count(result.text)
        assert abs(result.compressed_tokens - rate * result.original_tokens) <= 3


@pytest.mark.parametrize("name", BASELINES)
def test_what_stays_comes_from_the_text_in_its_order(name: str) -> None:
    text = texts()[0]
    result = shortened(name, text, 0.4, "granite?")
    assert result.text == "".join(text[start:end] for start, end in result.spans)
    words = iter(text.split())
    assert all(word in words for word in result.text.split())


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("text", ["one", " \n", "a b", "…", "one two three"])
def test_a_rate_of_one_and_tiny_texts_are_no_trouble(name: str, text: str) -> None:
    assert shortened(name, text, 1.0).text == text
    assert len(shortened(name, text, 0.3).text) > 0


def test_a_target_goes_before_the_rate() -> None:
    job = Job(text=texts()[0], rate=0.9, target_tokens=40, tokenizer=TOKENS)
    assert baseline("head", []).compress([job])[0].compressed_tokens == pytest.approx(40, abs=2)


def test_head_and_tail_are_the_ends() -> None:
    text = texts()[0].strip()
    assert text.startswith(shortened("head", text, 0.3).text)
    assert text.endswith(shortened("tail", text, 0.3).text)


def test_random_words_depend_on_the_seed_and_the_text_alone() -> None:
    one, two = texts()[:2]
    jobs = [Job(text=text, rate=0.5, tokenizer=TOKENS) for text in (one, two)]
    apart = [baseline("random", []).compress([job])[0].text for job in jobs]
    assert [result.text for result in baseline("random", []).compress(jobs)] == apart
    assert shortened("random", one, 0.5, seed=1).text != apart[0]


def test_stop_words_go_first() -> None:
    text = texts()[0]
    share = sum(word.strip(".").lower() in COMMON for word in text.split()) / len(text.split())
    kept = shortened("stopwords", text, 0.25).text.split()
    assert 0.3 < share < 0.7
    assert not [word for word in kept if word.strip(".").lower() in COMMON]


def test_surprisal_keeps_what_is_rare_in_all_texts() -> None:
    text = "Tide tide tide tide mill. Tide mill gorse tide , tide tide"
    job = Job(text=text, target_tokens=2, tokenizer=TOKENS)
    (result,) = baseline("surprisal", [text, "mill mill"]).compress([job])
    assert result.text.split()[0] == "gorse"
    (result,) = baseline("surprisal", [text, "gorse " * 9]).compress([job])
    assert result.text.split()[0].startswith("mill")


def test_bm25_keeps_the_sentences_that_share_the_questions_words() -> None:
    text = "The sea was calm. A granite lighthouse stood there. Nobody came on Thursday. It rained a lot."
    result = shortened("bm25", text, 0.3, "Where is the GRANITE lighthouse?")
    assert "A granite lighthouse stood there." in result.text


def test_sentences_end_at_marks_and_line_breaks_but_not_before_lower_case() -> None:
    words = Words.of("One two. Three vs. four! “Five?” Six\nseven 3.5 eight")
    assert words.sentences.tolist() == [0, 0, 1, 1, 1, 2, 3, 4, 4, 4]


def test_scripts_without_spaces_have_a_word_for_each_character() -> None:
    assert Words.of("今日は good。次").forms == ["今", "日", "は", "good", "次"]
    assert Words.of("今日は、good。次").sentences.tolist() == [0, 0, 0, 0, 1]
