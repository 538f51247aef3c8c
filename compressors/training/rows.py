"""Texts whose words have labels. Owns the form of a row; knows no tokens and no model.

    {"text": "…", "words": ["…", …], "labels": [1, 0, 0.3, …], "question": "…", "source": "…", "document": "…"}

Only `words` and `labels` are needed. Words occur in the text in order; where there is none, it is the words with
single spaces between them. A label is 1 for keep, 0 for drop, or a probability between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from compressors.errors import CompressionError
from compressors.training import holding_out, lines
from compressors.words import Words


@dataclass(frozen=True, slots=True)
class Row:
    """A text and what became of its words."""

    text: str
    words: Words
    """Where they lie in the text; `W` of them."""
    labels: npt.NDArray[np.float32]
    """How likely each word stays; `(W,)` float32 in [0, 1]."""
    question: str
    """What the text was read for; mostly empty."""
    document: str | None
    """Rows of one document are not split between training and held-out rows."""


def read(path: Path) -> Iterator[Row]:
    """The rows of a file; raises `CompressionError` with file and line for what is no row."""
    for place, fields in lines.read(path):
        try:
            yield _row(fields)
        except KeyError as error:
            raise CompressionError(f"{place}: {error.args[0]} is missing") from error
        except (TypeError, ValueError) as error:
            raise CompressionError(f"{place}: {error}") from error


def _row(fields: lines.Row) -> Row:
    words = fields["words"]
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise TypeError("words: expected a list of texts")
    text, question = fields.get("text"), fields.get("question")
    for name, value in (("text", text), ("question", question)):
        if not isinstance(value, str | None):
            raise TypeError(f"{name}: expected a text")
    text = " ".join(words) if text is None else text
    return Row(
        text=text,
        words=_located(words, text),
        labels=_labels(fields["labels"], len(words)),
        question=question or "",
        document=holding_out.document_of(fields),
    )


def _labels(values: object, words: int) -> npt.NDArray[np.float32]:
    if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
        raise TypeError("labels: expected a list of numbers")
    if len(values) != words:
        raise ValueError(f"labels: {len(values)} for {words} words")
    if not all(0 <= value <= 1 for value in values):
        raise ValueError("labels: expected numbers from 0 to 1")
    return np.array(values, dtype=np.float32)


def _located(words: list[str], text: str) -> Words:
    spans = np.zeros((len(words), 2), dtype=np.int64)  # (W, 2)
    end = 0
    for i, word in enumerate(words):
        start = text.find(word, end)
        if start < 0:
            raise ValueError(f"words: number {i + 1} of {len(words)} doesn't follow in the text")
        end = start + len(word)
        spans[i] = start, end
    return Words(spans[:, 0].copy(), spans[:, 1].copy())
