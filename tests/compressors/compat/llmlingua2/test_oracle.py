"""The parity mode beside the real `llmlingua` 0.2.2: every word label and every text must be equal."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

llmlingua = pytest.importorskip("llmlingua", reason="the oracle: pip install llmlingua==0.2.2")

WORDS = [
    *["the", "committee", "of", "a", "Budget", "isn't", "agreed", "upon", "really", "unfortunately"],
    *[
        "3.14",
        "1,240ms",
        "2024",
        "item7",
        "user_name",
        "e-mail",
        "naïve",
        "日本語",
        "テキスト",
        "한국어",
        "привет",
    ],
    *[
        "☃",
        "½",
        "[NEW0]",
        "##ing",
        "(see",
        "below)",
        "what?",
        "Yes!",
        "...",
        "--",
        "$5.00",
        "C++",
        "and",
        "or",
    ],
]
FORCE_TOKENS = ["\n", "?", ".", "!", "the", "and", "The answer is", ",", "3", "(", "agreed upon", "not"]
CASES = 130


class Counter:
    """Counts as tiktoken might; the package asks `encode`, we ask `count`."""

    def encode(self, text: str, **_: Any) -> list[str]:
        return re.findall(r" ?\w{1,4}|\s|[^\w\s]", text)

    def count(self, text: str) -> int:
        return len(self.encode(text))

    def starts(self, text: str) -> list[int]:
        return [match.start() for match in re.finditer(r" ?\w{1,4}|\s|[^\w\s]", text)]


@pytest.fixture(scope="module")
def package(tiny_folder: Callable[[str], Path]) -> Iterator[Callable[[str], Any]]:
    """The package's compressor of a tiny model, by kind; no tiktoken or punkt data is fetched."""
    import tiktoken

    made: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiktoken, "encoding_for_model", lambda _: Counter())

        def compressor(kind: str) -> Any:
            if kind not in made:
                made[kind] = llmlingua.PromptCompressor(
                    str(tiny_folder(kind)), device_map="cpu", use_llmlingua2=True
                )
            return made[kind]

        yield compressor


def sentence(draw: random.Random) -> str:
    words = draw.choices(WORDS, k=draw.randint(3, 14))
    return draw.choice([" ", " ", "  "]).join(words) + draw.choice([". ", ".\n", "? ", "\n\n", ", ", ""])


def prompt(draw: random.Random) -> tuple[list[str], dict[str, Any]]:
    contexts = [
        "".join(sentence(draw) for _ in range(draw.choice([1, 3, 10, 60])))
        for _ in range(draw.choice([1, 1, 2, 5]))
    ]
    parameters: dict[str, Any] = {
        "rate": draw.choice([0.1, 0.2, 0.33, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        "return_word_label": True,
        "token_to_word": draw.choice(["mean", "first"]),
        "force_tokens": draw.sample(FORCE_TOKENS, draw.choice([0, 0, 1, 3, 6])),
        "force_reserve_digit": draw.random() < 0.3,
        "drop_consecutive": draw.random() < 0.4,
        "use_token_level_filter": draw.random() < 0.9,
        "use_context_level_filter": draw.random() < 0.7,
        "chunk_end_tokens": draw.choice([[".", "\n"], ["."], [], ["\n", "?"]]),
    }
    if draw.random() < 0.3:
        parameters["target_token"] = draw.randint(1, 400)
    if draw.random() < 0.2:
        parameters["target_context"] = draw.randint(1, 3)
    if draw.random() < 0.2:
        parameters["context_level_rate"] = draw.choice([0.3, 0.5, 0.8])
    if draw.random() < 0.15:
        parameters["context_level_target_token"] = draw.randint(1, 300)
    if draw.random() < 0.2:
        parameters["force_context_ids"] = [draw.randint(0, 2)]
    return contexts, parameters


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", ["mbert", "xlm-roberta"])
def test_labels_and_texts_equal_the_packages(
    package: Callable[[str], Any], compat: Callable[[str], Any], kind: str
) -> None:
    compared = 0
    for case in range(CASES):
        contexts, parameters = prompt(random.Random(case))
        found = asdict(compat(kind).compress_prompt(contexts, tokenizer=Counter(), **parameters))
        try:
            expected = package(kind).compress_prompt(contexts, **parameters)
        except (IndexError, ValueError, ZeroDivisionError):
            continue  # the package fails; that ours doesn't is enough
        assert found == expected, (case, contexts, parameters)
        compared += 1
    assert compared >= 100
