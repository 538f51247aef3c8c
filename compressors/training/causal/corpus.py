"""Reads the training data into documents by domain. Knows files and fields, no tokens."""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

_END = "<|endoftext|>"
_MARKER = re.compile(r"\{\w+\}")  # {disfmarker}, {vocalsound} and the like in transcripts
_PASSAGE_WORDS = range(30, 121)
_RELEVANT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Document:
    """A text as lines; a training window begins where a line begins."""

    lines: list[str]
    origin: str
    """Documents of one origin are held out together."""


@dataclass(frozen=True, slots=True)
class Domain:
    """One kind of text and its share of the training tokens."""

    name: str
    share: float
    file: str
    """Relative to the data folder."""
    read: Callable[[Path], Iterator[Document]]


def texts(path: Path) -> Iterator[Document]:
    """The documents of an xz file in which a line `<|endoftext|>` stands between two of them."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        parts = groupby((line.strip() for line in file), key=_END.__eq__)
        for i, lines in enumerate(list(filter(None, lines)) for ends, lines in parts if not ends):
            if lines:
                yield Document(lines, origin=str(i))


def news(path: Path) -> Iterator[Document]:
    """Sentences of news; after every other one its headline, which repeats some of its words."""
    for i, row in enumerate(_rows(path)):
        kept = [word for word, label in zip(row["words"], row["labels"], strict=True) if label]
        yield Document([f"{row['text']} {' '.join(kept)}" if i % 2 else row["text"]], origin=str(i))


def abstracts(path: Path) -> Iterator[Document]:
    """Abstracts of papers, one line each."""
    for i, row in enumerate(_rows(path)):
        yield Document([" ".join(row["words"])], origin=str(i))


def questions(path: Path) -> Iterator[Document]:
    """Passages of meetings, each followed by a question that at least half of its words help to answer."""
    for row in _rows(path):
        for start in range(0, len(row["words"]), _PASSAGE_WORDS[-1]):
            stop = start + _PASSAGE_WORDS[-1]
            words, labels = row["words"][start:stop], row["labels"][start:stop]
            if len(words) in _PASSAGE_WORDS and sum(labels) >= _RELEVANT_SHARE * len(labels):
                passage = " ".join(word for word in words if not _MARKER.fullmatch(word))
                yield Document([f"{passage} {row['question']}"], origin=row["id"].rsplit("-", 1)[0])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


DOMAINS = (
    Domain("novels", 0.20, "text/novels.txt.xz", texts),
    Domain("docs", 0.20, "text/docs.txt.xz", texts),
    Domain("dialogues", 0.20, "text/dialogues.txt.xz", texts),
    Domain("math", 0.08, "text/math.txt.xz", texts),
    Domain("code", 0.07, "text/code.txt.xz", texts),
    Domain("news", 0.06, "keepdrop/google10k.jsonl.gz", news),
    Domain("abstracts", 0.09, "keepdrop/scitldr.jsonl.gz", abstracts),
    Domain("questions", 0.10, "keepdrop/qmsum_train.jsonl.gz", questions),
)
"""What the embedded causal model is trained on; the shares add up to 1."""
