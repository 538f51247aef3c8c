"""Reads texts to train a causal model on into documents. Knows files and fields, no tokens.

    .txt, .md, .txt.xz, .txt.gz    texts; see `divided`
    .jsonl, .jsonl.gz              rows

Rows have `text` or `words`; `Document` says what becomes of labels and questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressors.errors import CompressionError
from compressors.training import divided, holding_out, lines

_ROWS = (".jsonl", ".jsonl.gz")
_MARKER = re.compile(r"\{\w+\}")  # {disfmarker}, {vocalsound} and the like in transcripts
_PASSAGE_WORDS = range(30, 121)
_RELEVANT_SHARE = 0.5
_KEPT = 0.5


@dataclass(frozen=True, slots=True)
class Document:
    """A text.

    A row with `text` and `labels` is its text, every other one followed by the words that are kept of it, which
    teaches to repeat. A row with `question` is followed by it; if it has labels, too, it becomes those of its passages
    that answer it, each followed by the question: what ranking by the likelihood of a question (LongLLMLingua) needs.
    A passage answers if it holds half of what is kept of the row, or if half of it is kept.
    """

    text: str
    origin: str
    """Documents of one origin are held out together: see `holding_out.document_of`; else its number."""


def ending(path: Path) -> str:
    """The last parts of a file's name that say how it is read; raises `CompressionError` for others."""
    for known in (*divided.ENDINGS, *_ROWS):
        if path.name.endswith(known):
            return known
    raise CompressionError(f"{path}: expected a name that ends in {', '.join((*divided.ENDINGS, *_ROWS))}")


def read(path: Path) -> Iterator[Document]:
    """The documents of a file, in order. Raises `CompressionError` for a file that can't be read and for bad rows."""
    if ending(path) in divided.ENDINGS:
        yield from (Document(text, origin=str(number)) for number, text in enumerate(divided.read(path)))
        return
    for number, (place, row) in enumerate(lines.read(path)):
        try:
            yield from _documents(number, place, row)
        except (TypeError, ValueError) as error:
            raise CompressionError(
                f"{place}: words and labels: expected a list of texts and one of as many numbers"
            ) from error


def _documents(number: int, place: str, row: lines.Row) -> Iterator[Document]:
    words, labels, question = row.get("words") or [], row.get("labels") or [], row.get("question")
    origin = holding_out.document_of(row) or str(number)
    text = lines.text_of(row, "text", place) if "text" in row or not words else " ".join(words)
    if question and labels:
        yield from (Document(f"{passage} {question}", origin) for passage in _relevant(words, labels))
    elif question:
        yield Document(f"{text} {question}", origin)
    elif labels and "text" in row and number % 2:
        kept = (word for word, label in zip(words, labels, strict=True) if label >= _KEPT)
        yield Document(f"{text} {' '.join(kept)}", origin)
    else:
        yield Document(text, origin)


def _relevant(words: list[str], labels: list[Any]) -> Iterator[str]:
    all_kept = sum(label >= _KEPT for label in labels)
    for start in range(0, len(words), _PASSAGE_WORDS[-1]):
        part = slice(start, start + _PASSAGE_WORDS[-1])
        kept = sum(label >= _KEPT for label in labels[part])
        is_relevant = kept and kept >= _RELEVANT_SHARE * min(all_kept, len(labels[part]))
        if is_relevant and len(words[part]) in _PASSAGE_WORDS:
            yield " ".join(word for word in words[part] if not _MARKER.fullmatch(word))
