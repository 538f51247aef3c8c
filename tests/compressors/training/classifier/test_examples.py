"""From rows to what a model is trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from compressors.questions import Questions
from compressors.reading import Reader
from compressors.training.classifier.examples import NO_WORD, Example, Examples
from compressors.training.rows import read

Write = Callable[..., Path]
Make = Callable[..., list[Example]]


@pytest.fixture
def make(examples: Examples, write: Write) -> Make:
    """The examples of one row."""

    def of(**fields: Any) -> list[Example]:
        return next(examples.of(list(read(write("row", fields)))))

    return of


def test_each_word_counts_as_one_however_many_pieces_it_has(make: Make) -> None:
    (example,) = make(words=["Anna", "near", "Dover", "."], labels=[1, 0, 0.7, 0])
    assert example.words.tolist() == [NO_WORD, 0, 1, 2, 2, 3, NO_WORD]
    assert example.weights.tolist() == [0, 1, 1, 0.5, 0.5, 1, 0]
    assert example.targets.tolist() == pytest.approx([0, 1, 0, 0.7, 0.7, 0, 0])


def test_tokens_are_those_that_a_compressor_reads(make: Make, folder: Path) -> None:
    (example,) = make(text="Anna, near  Dover.", words=["Anna", "near", "Dover"], labels=[1, 0, 1])
    ids = AutoTokenizer.from_pretrained(folder)("Anna, near  Dover.")["input_ids"]
    assert example.ids.tolist() == ids
    assert example.words.tolist() == [NO_WORD, 0, NO_WORD, 1, 2, 2, NO_WORD, NO_WORD]  # no word, no label


def test_a_token_over_two_words_belongs_to_the_first(make: Make) -> None:
    (example,) = make(text="Anna old", words=["An", "na", "old"], labels=[1, 0, 1])
    assert example.words.tolist() == [NO_WORD, 0, 1, NO_WORD]
    assert example.labels.tolist() == [1, 1]


def test_a_question_is_read_but_not_trained(make: Make, folder: Path) -> None:
    (example,) = make(words=["Anna", "near", "Bonn"], labels=[0, 0, 1], question="old Bonn")
    pair = AutoTokenizer.from_pretrained(folder)("old Bonn", "Anna near Bonn")["input_ids"]
    assert example.ids.tolist() == pair
    assert example.weights.tolist() == [0, 0, 0, 0, 1, 1, 1, 0]


def test_a_long_text_becomes_several_windows_that_together_hold_every_word(make: Make) -> None:
    words = ["Anna", "Dover", "near", "."] * 20
    labels = [i / 100 for i in range(80)]
    parts = make(words=words, labels=labels, question="old")
    assert len(parts) > 3
    assert all(len(part.ids) <= 32 for part in parts)
    assert np.concatenate([part.labels for part in parts]).tolist() == pytest.approx(labels)
    assert all(part.weights.sum() == len(part.labels) for part in parts)


def test_texts_without_words_give_no_examples(make: Make) -> None:
    assert make(text="Anna", words=[], labels=[]) == []


def test_xlm_roberta_pieces_belong_to_their_words(tiny_folder: Callable[[str], Path], write: Write) -> None:
    reader = Reader(AutoTokenizer.from_pretrained(tiny_folder("xlm-roberta")), 512)
    rows = list(read(write("row", {"words": ["the", "was", "on"], "labels": [1, 0, 1], "question": "that"})))
    ((example,),) = Examples(reader, Questions(reader)).of(rows)
    belongs = example.words[example.words != NO_WORD]
    assert sorted(set(belongs.tolist())) == [0, 1, 2]
    assert belongs.tolist() == sorted(belongs.tolist())
    assert example.ids[0] == reader.prefix[0]
    assert example.weights.sum() == pytest.approx(3)
