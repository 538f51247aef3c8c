"""What stands before a text that a question was asked about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from compressors.errors import CompressionError
from compressors.questions import Questions
from compressors.reading import Reader

Folder = Callable[[str], Path]


def _reader(folder: Path, window: int = 64) -> Reader:
    return Reader(AutoTokenizer.from_pretrained(folder), window)


@pytest.mark.parametrize("kind", ["bert", "mbert", "distilbert", "xlm-roberta"])
def test_question_and_text_are_read_as_the_tokenizer_reads_a_pair(tiny_folder: Folder, kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_folder(kind))
    reader = Reader(tokenizer, 64)
    text = reader.read("the bird", [(0, 8)]).ids
    ours = [*Questions(reader).prefix("that is"), *text, *reader.suffix]
    assert ours == reader.backend.encode("that is", "the bird").ids or kind == "xlm-roberta"


def test_without_a_question_nothing_changes(tiny_folder: Folder) -> None:
    reader = _reader(tiny_folder("bert"))
    for question in ("", " \n"):
        assert Questions(reader).prefix(question).tolist() == reader.prefix.tolist()


def test_the_end_of_a_long_question_is_read(tiny_folder: Folder) -> None:
    reader = _reader(tiny_folder("bert"))
    words = "one two three four five six"
    prefix = Questions(reader, tokens=2).prefix(words)
    assert prefix.tolist() == [*reader.prefix, *reader.read("five six", [(0, 8)]).ids, *reader.suffix]
    assert reader.room(prefix) == reader.capacity - 3


def test_a_question_leaves_room_for_the_text(tiny_folder: Folder) -> None:
    reader = _reader(tiny_folder("bert"), window=12)
    prefix = Questions(reader).prefix("one two three four five six seven eight nine ten")
    assert reader.room(prefix) == 4


def test_a_tokenizer_without_a_separator_reads_no_questions(tiny_folder: Folder) -> None:
    reader = _reader(tiny_folder("bert"))
    reader.backend.post_processor = None
    reader.suffix = reader.suffix[:0]
    with pytest.raises(CompressionError, match="no token that separates a question from a text"):
        Questions(reader).prefix("why")
