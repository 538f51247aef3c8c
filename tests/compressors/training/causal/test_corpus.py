"""What the readers make of the files."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from compressors.training.causal.corpus import DOMAINS, Document, abstracts, news, questions, texts


def _rows(path: Path, *rows: dict[str, Any]) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_texts_are_cut_at_the_marks_between_documents(tmp_path: Path) -> None:
    path = tmp_path / "a.xz"
    with lzma.open(path, "wt") as file:
        file.write("one\n\n  two\n<|endoftext|>\n\n<|endoftext|>\nthree\n<|endoftext|>\n")
    assert [document.lines for document in texts(path)] == [["one", "two"], ["three"]]


def test_every_other_news_sentence_has_its_headline(tmp_path: Path) -> None:
    row = {"text": "A big dog ran.", "words": ["A", "big", "dog", "ran", "."], "labels": [0, 0, 1, 1, 0]}
    found = [document.lines for document in news(_rows(tmp_path / "a.gz", row, row))]
    assert found == [["A big dog ran."], ["A big dog ran. dog ran"]]


def test_abstracts_are_lines(tmp_path: Path) -> None:
    path = _rows(tmp_path / "a.gz", {"words": ["We", "show."]})
    assert list(abstracts(path)) == [Document(["We show."], origin="0")]


def test_a_question_follows_the_passages_that_answer_it(tmp_path: Path) -> None:
    words = ["{vocalsound}", *(f"w{i}" for i in range(260))]
    labels = [1] * 100 + [0] * 150 + [1] * 11
    path = _rows(tmp_path / "a.gz", {"question": "Why?", "words": words, "labels": labels, "id": "ES-1-s2"})
    first = " ".join(f"w{i}" for i in range(119))
    assert list(questions(path)) == [Document([f"{first} Why?"], origin="ES-1")]


def test_the_shares_add_up() -> None:
    assert sum(domain.share for domain in DOMAINS) == pytest.approx(1.0)
