"""Rows of words and labels."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compressors.errors import CompressionError
from compressors.training.rows import read


def _file(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_words_are_found_in_the_text_from_left_to_right(tmp_path: Path) -> None:
    row = {"text": "the cat, the  dog", "words": ["the", "cat", "the", "dog"], "labels": [1, 0, 0.3, 1]}
    (found,) = read(_file(tmp_path / "a.jsonl", row))
    assert found.words.starts.tolist() == [0, 4, 9, 14]
    assert found.words.ends.tolist() == [3, 7, 12, 17]
    assert found.labels.dtype == np.float32
    assert found.labels.tolist() == pytest.approx([1, 0, 0.3, 1])
    assert (found.question, found.document) == ("", None)


def test_without_a_text_words_have_spaces_between_them(tmp_path: Path) -> None:
    (found,) = read(_file(tmp_path / "a.jsonl", {"words": ["a", "bc"], "labels": [1, 0], "question": "b?"}))
    assert (found.text, found.question) == ("a bc", "b?")
    assert found.words.starts.tolist() == [0, 2]


@pytest.mark.parametrize("field", ["document", "meeting", "id"])
def test_rows_say_what_they_are_part_of(tmp_path: Path, field: str) -> None:
    (found,) = read(_file(tmp_path / "a.jsonl", {"words": ["a"], "labels": [1], field: 7}))
    assert found.document == "7"


def test_questions_about_a_meeting_are_part_of_it(tmp_path: Path) -> None:
    rows = (
        {"words": ["a"], "labels": [1], "id": name} for name in ("Bdb001-s0", "Bdb001-s12", "r-s", "a-s1-")
    )
    found = read(_file(tmp_path / "a.jsonl", *rows))
    assert [row.document for row in found] == ["Bdb001", "Bdb001", "r-s", "a-s1-"]


def test_files_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"words": ["a"], "labels": [1]}\n'))
    assert [row.text for row in read(path)] == ["a"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"labels": [1]}, "words is missing"),
        ({"words": ["a"]}, "labels is missing"),
        ({"words": "a", "labels": [1]}, "words: expected a list of texts"),
        ({"words": ["a", ""], "labels": [1, 1]}, "words: expected a list of texts"),
        ({"words": ["a"], "labels": [1, 0]}, "labels: 2 for 1 words"),
        ({"words": ["a"], "labels": [2]}, "labels: expected numbers from 0 to 1"),
        ({"words": ["a"], "labels": ["keep"]}, "labels: expected a list of numbers"),
        (
            {"text": "secret", "words": ["a"], "labels": [1]},
            "words: number 1 of 1 doesn't follow in the text",
        ),
        ({"text": 5, "words": ["a"], "labels": [1]}, "text: expected a text"),
        ({"words": ["a"], "labels": [1], "question": 5}, "question: expected a text"),
    ],
)
def test_what_is_no_row_is_named_by_its_place(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    path = _file(tmp_path / "a.jsonl", {"words": ["a"], "labels": [1]}, row)
    with pytest.raises(CompressionError, match=r"a\.jsonl:2: ") as caught:
        list(read(path))
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
