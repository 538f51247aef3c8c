"""Counts are those of the upstream's model, and need no network."""

from __future__ import annotations

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from policies.tokens import encoding_name, tokenizer


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini", "o200k_base"),
        ("davinci", "o200k_base"),
        ("openai/gpt-4", "cl100k_base"),
        ("ft:gpt-4o:acme", "o200k_base"),
        ("llama-3.3-70b", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_the_encoding_of_a_model(model: str, encoding: str) -> None:
    assert encoding_name(model) == encoding


def test_known_counts() -> None:
    assert tokenizer("cl100k_base").count("tiktoken is great!") == 6
    assert tokenizer("o200k_base").count("") == 0
    assert tokenizer("o200k_base").count("<|endoftext|>") > 1  # text, not a control token


@given(st.text(max_size=200))
def test_one_start_for_each_token(text: str) -> None:
    counter = tokenizer("o200k_base")
    starts = list(counter.starts(text))
    assert len(starts) == counter.count(text)
    assert starts == sorted(starts)
    assert all(0 <= start < len(text) for start in starts)


@given(st.text(max_size=200))
def test_tokens_start_where_tiktoken_says(text: str) -> None:
    encoding = tiktoken.get_encoding("o200k_base")
    assert (
        list(tokenizer("o200k_base").starts(text))
        == encoding.decode_with_offsets(encoding.encode_ordinary(text))[1]
    )


def test_ids_are_as_many_as_are_counted() -> None:
    counter = tokenizer("o200k_base")
    text = "tiktoken is great! " * 7000  # longer than it takes at once
    assert len(counter.encode(text)) == counter.count(text)
    assert counter.encode(" red red") == counter.encode(" red") * 2
