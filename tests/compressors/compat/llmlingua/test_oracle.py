"""The parity mode beside the real `llmlingua` 0.2.2: every text and every count must be equal."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from compressors.compat import LLMLinguaCompat
from tests.compressors.compat.llmlingua.conftest import LAYERS, SLIDING, WINDOWS
from tests.fakes.package import Counter

pytestmark = pytest.mark.filterwarnings("default")  # the package's own

WORDS = [
    *["the", "committee", "of", "a", "Budget", "isn't", "agreed", "upon", "really", "unfortunately"],
    *["3.14", "1,240ms", "2024", "item7", "user_name", "e-mail", "naïve", "日本語", "привет", "☃", "½"],
    *["(see", "below)", "what?", "Yes!", "...", "--", "$5.00", "C++", "and", "or"],
]
UNESCAPED = [word for word in WORDS if word.isascii()]
"""Those without escapes in JSON, of which the package drops parts and then fails."""
ENDS = [". ", ". ", ".\n", "? ", "\n\n", ", ", "", ".\n\n\n"]
RATES = [0.05, 0.2, 0.33, 0.5, 0.5, 0.7, 0.9, 1.0]
FAILURES = (AssertionError, IndexError, RuntimeError, ValueError, UnboundLocalError)
"""What the package fails with, mostly by its own assertions."""
PLAIN, LARGE, TAGGED, JSON, RECOVERED = 60, 100, 24, 4, 8
LEAST_PLAIN, LEAST_LARGE, LEAST_TAGGED, LEAST_JSON = 55, 50, 19, 14
"""How many the package survives of each model's prompts, of all models' JSON; the rest can't be compared."""
assert len(WINDOWS) * (LEAST_PLAIN + LEAST_TAGGED + RECOVERED) >= 400
KINDS = pytest.mark.parametrize("kind", list(WINDOWS))


def sentence(draw: random.Random, words: list[str] = WORDS) -> str:
    return " ".join(draw.choices(words, k=draw.randint(3, 9))) + draw.choice(ENDS)


def contexts(draw: random.Random, words: list[str] = WORDS) -> list[str]:
    count = draw.choice([1, 1, 2, 3, 6])
    sizes = [1, 3, 6, 10] if count < 3 else [1, 2, 3]
    return ["".join(sentence(draw, words) for _ in range(draw.choice(sizes))) for _ in range(count)]


def countable(tokenizer: Any) -> list[str]:
    """The words without tokens for single bytes, of which the package counts the characters wrongly."""
    return [word for word in WORDS if not any(token.startswith("<0x") for token in tokenizer.tokenize(word))]


def in_sight(kind: str, texts: list[str], options: dict[str, Any], tokenizer: Any) -> dict[str, Any]:
    """`options` without the contrast where sliding windows end before the question.

    There the package compares surprises that differ by rounding alone, so that what stays depends on the
    processor.
    """
    if kind not in SLIDING or sum(len(tokenizer(text).input_ids) for text in texts) <= SLIDING[kind]:
        return options
    return options | {"condition_compare": False}


def parameters(draw: random.Random, count: int) -> dict[str, Any]:
    conditions = ["none", "none", "after", "before", "none_condition", "after_condition", "before_condition"]
    found: dict[str, Any] = {
        "instruction": draw.choice(["", "Answer briefly.", sentence(draw)]),
        "question": "Who " + draw.choice(["was it?", sentence(draw).strip(), sentence(draw)]),
        "rate": draw.choice(RATES),
        "iterative_size": draw.choice([40, 40, 40, 64, 100, 200]),
        "rank_method": draw.choice(["llmlingua", "longllmlingua", "longllmlingua", "bm25", "gzip"]),
        "condition_in_question": draw.choice(conditions),
        "reorder_context": draw.choice(["original", "sort", "two_stage"]),
        "dynamic_context_compression_ratio": draw.choice([0, 0, 0.2, 0.4, 0.9]),
        "condition_compare": draw.random() < 0.4,
        "add_instruction": draw.random() < 0.3,
        "concate_question": draw.random() < 0.7,
        "context_budget": draw.choice(["+100", "+100", "*1.3", "*2+20", "+0", "-50"]),
        "use_context_level_filter": draw.random() < 0.85,
        "use_sentence_level_filter": draw.random() < 0.3,
        "use_token_level_filter": draw.random() < 0.92,
        "keep_split": draw.random() < 0.25,
        "keep_first_sentence": draw.choice([0, 0, 1, 2]),
        "keep_last_sentence": draw.choice([0, 0, 1, 2]),
        "keep_sentence_number": draw.choice([0, 0, 1, 2]),
        "token_budget_ratio": draw.choice([1.4, 1.0, 0.5]),
    }
    if draw.random() < 0.3:
        found["target_token"] = draw.choice([5, 40, 100, 300, -20])
    if draw.random() < 0.25:
        found["force_context_ids"] = draw.sample(range(count), min(count, draw.randint(1, 2)))
    if draw.random() < 0.15:
        found["force_context_number"] = draw.choice([0, 1, 3])
    return found


def tags(draw: random.Random, text: str) -> str:
    """`text` with each sentence in a tag of its own, some of them with a rate."""
    attributes = [
        "",
        "",
        ", rate=0.3",
        ", rate=0.8, compress=True",
        ", compress=False",
        ", compress=True, rate=0",
    ]
    parts = text.replace(". ", ".| ").split("|")
    return "".join(f"<llmlingua{draw.choice(attributes)}>{part}</llmlingua>" for part in parts if part)


def equal(ours: LLMLinguaCompat, theirs: Any, call: str, texts: list[str], options: dict[str, Any]) -> bool:
    """Whether the package gave a result; then it must be ours."""
    found = asdict(getattr(ours, call)(texts, tokenizer=Counter(), **options))
    try:
        expected = getattr(theirs, call)(list(texts), **copy.deepcopy(options))
    except FAILURES:
        return False  # that ours doesn't fail is enough
    assert {name: found[name] for name in expected} == expected, (call, texts, options)
    return True


@KINDS
def test_prompts_equal_the_packages(
    compat: Callable[[str], LLMLinguaCompat], package: Callable[[str], Any], kind: str
) -> None:
    compared = 0
    for case in range(PLAIN):
        draw = random.Random(f"prompt {kind} {case}")
        texts = contexts(draw)
        options = in_sight(kind, texts, parameters(draw, len(texts)), package(kind).tokenizer)
        compared += equal(compat(kind), package(kind), "compress_prompt", texts, options)
    assert compared >= LEAST_PLAIN


def test_contrasts_with_a_question_out_of_sight_are_rounding(package: Callable[[str], Any]) -> None:
    mistral = package("mistral")
    draw = random.Random(0)
    text = "".join(sentence(draw) for _ in range(60))

    def surprises(prefix: str) -> Any:
        ids = mistral.tokenizer(prefix + text, add_special_tokens=False, return_tensors="pt").input_ids
        return mistral.get_ppl("", "token", ids, ids**0).numpy()

    bare = surprises("")
    contrast = surprises("Who was it?\n\n")[-len(bare) :] - bare
    reach = LAYERS * SLIDING["mistral"]
    assert len(contrast) > reach + 100
    assert abs(contrast[reach:]).max() < 1e-4
    assert abs(contrast[: SLIDING["mistral"]]).max() > 1e-2


def test_windows_too_large_for_the_model_fail_in_the_package_only(
    compat: Callable[[str], LLMLinguaCompat], package: Callable[[str], Any]
) -> None:
    compared = 0
    for case in range(LARGE):
        draw = random.Random(f"large {case}")
        options = {
            "question": "Who was it?",
            "rate": draw.choice([0.05, 0.2, 0.5]),
            "target_token": draw.choice([-1, 1, 1]),
            "iterative_size": WINDOWS["llama-short"] + draw.choice([-10, 1, 40, 90]),
            "condition_compare": draw.random() < 0.5,
        }
        texts = ["".join(sentence(draw) for _ in range(draw.randint(6, 25)))]
        compared += equal(compat("llama-short"), package("llama-short"), "compress_prompt", texts, options)
    assert LEAST_LARGE <= compared < LARGE


@KINDS
def test_tagged_prompts_equal_the_packages(
    compat: Callable[[str], LLMLinguaCompat], package: Callable[[str], Any], kind: str
) -> None:
    words = countable(package(kind).tokenizer)
    compared = 0
    for case in range(TAGGED):
        draw = random.Random(f"{kind} tagged {case}")
        plain = contexts(draw, words)
        texts = [tags(draw, text) for text in plain]
        options = in_sight(kind, plain, parameters(draw, len(texts)), package(kind).tokenizer)
        compared += equal(compat(kind), package(kind), "structured_compress_prompt", texts, options)
    assert compared >= LEAST_TAGGED


def test_protected_text_stays_where_the_package_loses_count(
    compat: Callable[[str], LLMLinguaCompat], package: Callable[[str], Any]
) -> None:
    words = "the committee of it was agreed upon really and or " * 9
    kept = "Who was it really and upon the committee agreed "
    text = (
        f"<llmlingua, rate=0.2>{words}{'😀' * 40}</llmlingua>"  # four tokens each
        f"<llmlingua, compress=False>{kept}</llmlingua><llmlingua, rate=0.2>{words}</llmlingua>"
    )
    with pytest.raises(IndexError):
        package("llama").structured_compress_prompt([text], iterative_size=40)
    found = compat("llama").structured_compress_prompt([text], tokenizer=Counter(), iterative_size=40)
    assert kept in found.compressed_prompt
    assert len(found.compressed_prompt) < len(words)


def test_json_equals_the_packages(
    compat: Callable[[str], LLMLinguaCompat], package: Callable[[str], Any]
) -> None:
    compared = 0
    for kind in WINDOWS:
        for case in range(JSON):
            draw = random.Random(f"{kind} json {case}")
            words = WORDS if case == 0 else UNESCAPED
            data = {
                "id": 1234,
                "note": f"{sentence(draw, words).strip()} " * 9,
                "tags": [sentence(draw, words).strip() for _ in range(6)],
            }
            fixed: dict[str, Any] = {"pair_remove": False, "compress": False, "rate": 1, "value_type": "int"}
            rules = {
                "id": fixed,
                "note": fixed | {"rate": draw.choice([0.6, 0.8]), "compress": True, "value_type": "str"},
                "tags": fixed | {"rate": 0.8, "compress": True, "value_type": "list"},
            }
            options: dict[str, Any] = {
                "rate": 0.8,
                "iterative_size": draw.choice([40, 200]),
                "question": "Who was it?",
            }
            found, report = compat(kind).compress_json(data, rules, tokenizer=Counter(), **options)
            try:
                expected = package(kind).compress_json(data, copy.deepcopy(rules), **options)
            except (*FAILURES, json.JSONDecodeError):
                continue  # what it spells is no JSON
            text = expected["compressed_prompt"]
            assert found == (json.loads(text) if isinstance(text, str) else text), case
            assert report.origin_tokens == expected["origin_tokens"]
            compared += 1
    assert compared >= LEAST_JSON


@KINDS
def test_recovered_answers_equal_the_packages(
    compat: Callable[[str], LLMLinguaCompat], package: Callable[[str], Any], kind: str
) -> None:
    for case in range(RECOVERED):
        draw = random.Random(f"{kind} recover {case}")
        original = "".join(sentence(draw) for _ in range(12))
        words = original.split()
        kept = [word for word in words if draw.random() < 0.6]
        shortened = " ".join(kept)
        start = draw.randrange(len(kept) - 8)
        answer = f"It was {' '.join(kept[start : start + 7])} as {draw.choice(WORDS)} said."
        found = compat(kind).recover(original, shortened, answer)
        assert found == package(kind).recover(original, shortened, answer), case
