"""Word by word, the same tokens as all at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from compressors.word_memory import WordMemory
from tests.fakes import causal

TEXTS = st.text(st.characters(min_codepoint=0, max_codepoint=127), max_size=300) | st.lists(
    st.sampled_from(
        [
            "the",
            "The",
            "it's",
            "(see",
            "below),",
            "3.14",
            "[SEP]",
            "x_y",
            "  ",
            "\n\n",
            "\t",
            "a" * 120,
            "\x0b",
            "#1",
            "---",
        ]
    ),
    max_size=60,
).map(" ".join)


@pytest.fixture(params=["bert", "mbert", "xlm-roberta", "modernbert"])
def backend(request: pytest.FixtureRequest, tiny_folder: Callable[[str], Path]) -> Any:
    found = AutoTokenizer.from_pretrained(tiny_folder(request.param)).backend_tokenizer
    found.no_truncation()
    found.no_padding()
    found.encode_special_tokens = True
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(TEXTS)
def test_ascii_texts_have_the_tokens_that_the_tokenizer_finds(backend: Any, text: str) -> None:
    memory = WordMemory(backend)
    whole = backend.encode(text, add_special_tokens=False)
    for _ in range(2):  # at first sight and from memory
        found = memory.encode(text)
        if found is not None:
            ids, starts, ends = found
            assert ids.tolist() == whole.ids
            assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == whole.offsets


def test_only_plain_words_are_remembered(backend: Any) -> None:
    memory = WordMemory(backend)
    memory.encode("The key sk-123abc, of user_7 isn't 42 " + "word " * 40)
    assert memory._places.keys() <= {"The", "key", "of", "isn't", "word"}


def test_memory_is_bounded(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compressors.word_memory._MOST_WORDS", 3)
    memory = WordMemory(backend)
    for text in ("one two", "three four five", "six seven eight nine"):
        memory.encode(text)
        found = memory.encode(text)
        whole = backend.encode(text, add_special_tokens=False)
        assert found is None or found[0].tolist() == whole.ids
    assert len(memory._places) <= 3


def test_a_tokenizer_whose_words_are_not_independent_is_left_alone() -> None:
    memory = WordMemory(causal.tokenizer().backend_tokenizer)
    assert memory.encode("plain words and more plain words") is None
