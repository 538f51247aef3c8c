"""What the readers make of the files."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from compressors.errors import CompressionError
from compressors.training.causal.corpus import Document, read


def _rows(path: Path, *rows: dict[str, Any]) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.mark.parametrize("ending", [".txt", ".txt.xz", ".txt.gz"])
def test_texts_are_cut_at_the_marks_between_documents(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    opened: Any = {".txt": open, ".txt.xz": lzma.open, ".txt.gz": gzip.open}[ending]
    with opened(path, "wt") as file:
        file.write("one\n\n  two\n<|endoftext|>\n\n<|endoftext|>\nthree\n<|endoftext|>\n")
    assert [document.text for document in read(path)] == ["one\n\n  two", "three"]


def test_every_other_labelled_text_is_followed_by_what_is_kept(tmp_path: Path) -> None:
    words = ["A", "big", "dog", "ran", "."]
    row = {"text": "A big dog ran.", "words": words, "labels": [0, 0.3, 1, 0.9, 0]}
    found = [document.text for document in read(_rows(tmp_path / "a.jsonl.gz", row, row))]
    assert found == ["A big dog ran.", "A big dog ran. dog ran"]


def test_words_without_a_text_are_joined(tmp_path: Path) -> None:
    row = {"words": ["We", "show."], "labels": [1, 0]}
    found = list(read(_rows(tmp_path / "a.jsonl.gz", row, {"text": "So.", "document": "b"})))
    assert found == [Document("We show.", origin="0"), Document("So.", origin="b")]


def test_a_question_follows_the_passages_that_answer_it(tmp_path: Path) -> None:
    words = ["{vocalsound}", *(f"w{i}" for i in range(260))]
    labels = [1] * 100 + [0] * 150 + [1] * 11
    row = {"question": "Why?", "words": words, "labels": labels, "id": "ES-1-s2"}
    first = " ".join(f"w{i}" for i in range(119))
    assert list(read(_rows(tmp_path / "a.jsonl.gz", row))) == [Document(f"{first} Why?", origin="ES-1")]


def test_a_question_without_labels_follows_its_text(tmp_path: Path) -> None:
    path = _rows(tmp_path / "a.jsonl.gz", {"text": "Because.", "question": "Why?"})
    assert [document.text for document in read(path)] == ["Because. Why?"]


def test_other_files_and_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CompressionError, match=r"a\.doc: expected a name that ends in \.txt"):
        list(read(tmp_path / "a.doc"))
    with pytest.raises(CompressionError, match=r"a\.jsonl\.gz:1: text: expected a text"):
        list(read(_rows(tmp_path / "a.jsonl.gz", {"body": "x"})))
    for row in ({"text": "x", "words": ["x"], "labels": [1, 0]}, {"words": [1], "labels": [1]}):
        with pytest.raises(CompressionError, match=r"a\.jsonl\.gz:2: words and labels"):
            list(read(_rows(tmp_path / "a.jsonl.gz", {"text": "So."}, row)))
    (tmp_path / "a.txt.xz").write_bytes(b"no xz")
    with pytest.raises(CompressionError, match=r"a\.txt\.xz: not text in UTF-8"):
        list(read(tmp_path / "a.txt.xz"))
