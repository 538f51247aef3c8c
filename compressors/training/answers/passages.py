"""Cuts documents into passages as long as what is asked about. Knows texts, no words and no models."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from compressors.training.labels import Document, chunks

_SIZES = (50, 220)
_SHORT = 40


def passages(documents: Iterable[Document], most: int | None, seed: int) -> list[Document]:
    """Passages of 50 to 220 words, ends of documents shorter; if `most` is given, as many drawn at random.

    Documents of less than 40 words that follow each other are joined, as there is nothing to leave out of one sentence.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    found = [passage for document in _joined(documents, chance) for passage in _cut(document, chance)]
    if most is None or len(found) <= most:
        return found
    return [found[number] for number in sorted(chance.sample(range(len(found)), most))]


def _joined(documents: Iterable[Document], chance: random.Random) -> Iterator[Document]:
    held: Document | None = None
    goal = 0
    for document in documents:
        short = _words(document.text) < _SHORT
        if held is not None and (not short or _words(held.text) >= goal):
            yield held
            held = None
        if not short:
            yield document
        elif held is None:
            held, goal = document, chance.randint(*_SIZES) // 2
        else:
            held = replace(held, text=f"{held.text} {document.text}")
    if held is not None:
        yield held


def _cut(document: Document, chance: random.Random) -> Iterator[Document]:
    for start, end in chunks(document.text, chance.randint(*_SIZES), _words):
        passage = document.text[start:end]
        if _words(passage) >= _SHORT:
            yield replace(document, text=passage)


def _words(text: str) -> int:
    return len(text.split())
