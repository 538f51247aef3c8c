from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from compressors.reading import Reader
from compressors.words import split


@pytest.fixture(scope="module", params=["bert", "xlm-roberta", "modernbert"])
def reader(request: pytest.FixtureRequest, tiny_folder: Callable[[str], Path]) -> Reader:
    return Reader(AutoTokenizer.from_pretrained(tiny_folder(request.param)), window=32)


TEXT = "Well, the first one ends here. The second one, which is rather longer than that, ends here! " * 6


def test_sequences_fit_the_window_and_carry_special_tokens(reader: Reader) -> None:
    reading = reader.read(TEXT, [(0, len(TEXT))])
    chunks = reader.chunks(reading, TEXT, split(TEXT), (".",))
    for chunk in chunks:
        sequence = reader.sequence(reading, chunk)
        assert len(sequence) <= 32
        assert sequence[0] == reader.prefix[0]
        assert sequence[-1] == reader.suffix[-1]
    assert [edge for chunk in chunks for edge in chunk][1:-1:2] == [s for s, _ in chunks[1:]]
    assert (chunks[0][0], chunks[-1][1]) == (0, len(reading.ids))


def test_chunks_end_with_sentences_where_they_can(tiny_folder: Callable[[str], Path]) -> None:
    reader = Reader(AutoTokenizer.from_pretrained(tiny_folder("bert")), window=32)
    reading = reader.read(TEXT, [(0, len(TEXT))])
    ends = [TEXT[: reading.ends[end - 1]][-1] for _, end in reader.chunks(reading, TEXT, split(TEXT), ".!")]
    assert set(ends) == {".", "!"}


def test_documents_share_no_chunk(reader: Reader) -> None:
    text = "one two three. four five six. seven eight nine."
    reading = reader.read(text, [(0, len(text))], fresh=[15, 30])
    starts = [reading.starts[start] for start, _ in reader.chunks(reading, text, split(text), ())]
    assert {15, 30} <= {text.index(text[start:].lstrip(), start) for start in starts}


def test_special_tokens_in_a_text_are_text(reader: Reader) -> None:
    special = {*reader.prefix.tolist(), *reader.suffix.tolist()}
    reading = reader.read("a [SEP] b </s> c", [(0, 16)])
    assert not special & set(reading.ids.tolist())


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=80))
def test_offsets_ascend_within_the_text(reader: Reader, text: str) -> None:
    reading = reader.read(text, [(0, len(text))])
    assert (reading.ends >= reading.starts).all()
    assert (reading.starts[1:] >= reading.starts[:-1]).all()
    assert not len(reading.ids) or reading.ends.max() <= len(text)
