"""Chunks of texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compressors.training.labels import chunks
from policies.tokens import tokenizer


def _count(text: str) -> int:
    return tokenizer("o200k_base").count(text)


def _texts(text: str, most_tokens: int) -> list[str]:
    return [text[start:end] for start, end in chunks(text, most_tokens, _count)]


def test_sentences_and_lines_stay_whole() -> None:
    text = "The board met on Monday. It decided nothing.\nThe mayor left early\n\nNobody knows why."
    assert _texts(text, 12) == [
        "The board met on Monday. It decided nothing.",
        "The mayor left early\n\nNobody knows why.",
    ]
    assert _texts(text, 8) == [
        "The board met on Monday.",
        "It decided nothing.",
        "The mayor left early",
        "Nobody knows why.",
    ]


def test_a_long_sentence_is_cut_between_words() -> None:
    found = _texts("alpha beta gamma delta " * 20, 10)
    assert set(" ".join(found).split()) == {"alpha", "beta", "gamma", "delta"}
    assert all(_count(chunk) <= 10 for chunk in found)


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n.a"), max_size=300),
    st.integers(4, 40),
)
def test_no_chunk_is_too_long_and_nothing_is_lost(text: str, most_tokens: int) -> None:
    at = 0
    for start, end in chunks(text, most_tokens, _count):
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip() != ""
        assert _count(text[start:end]) <= most_tokens or end - start == 1
        at = end
    assert not text[at:].strip()
