"""Rows that a classifier learns from: a passage by the worth of its words, or for a question asked about it.

Owns how much each word counts for a question. Knows no files.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.training.answers.cloze import Cloze, ask
from compressors.training.answers.rarity import Rarity
from compressors.training.answers.synonyms import Synonyms
from compressors.training.answers.worth import Worth, tokens_of, worth
from compressors.training.labels import Document
from compressors.words import Words, split

_SENTENCE = (0.08, 0.22)
"""Of the words around the answer: this much, and this much of their worth."""
_SAME_KIND, _ELSEWHERE = 0.35, 0.05
_ARTICLE = 0.5
"""Of an answer: it may or may not be part of what is looked for."""
_ASKED = 0.5
"""What is left of a word that the question says already."""


class Rows:
    """The rows of one passage; `doc` is its `spacy.tokens.Doc`."""

    def __init__(self, passage: Document, doc: Any, rarity: Rarity) -> None:
        self._passage = passage
        self._doc = doc
        self._words = split(passage.text)
        self._tokens = np.array(tokens_of(doc, self._words), np.int64)  # (W,)
        self._worth = worth(doc, self._words, self._tokens.tolist(), rarity)

    def plain(self) -> dict[str, Any]:
        """Its words by how likely each is part of an answer."""
        return _row(self._passage, self._words, self._worth)

    def asked(self, questions: int, seed: int, synonyms: Synonyms | None = None) -> Iterator[dict[str, Any]]:
        """Its words by how much they tell whoever asks; a row for each of at most so many questions, none twice."""
        chance = random.Random(f"{seed} {self._passage.text}")  # noqa: S311 (no secret)
        known: set[tuple[int, int]] = set()
        for _ in range(questions):
            cloze = ask(self._doc, chance, synonyms)
            if cloze is not None and cloze.answer not in known:
                known.add(cloze.answer)
                labels = _labels(self._doc, self._tokens, self._worth, cloze)
                yield _row(self._passage, self._words, labels) | {"question": cloze.text}


def _labels(doc: Any, tokens: npt.NDArray[np.int64], base: Worth, cloze: Cloze) -> Worth:
    """The answer wherever it stands, then what is of its kind, then its sentence, then the rest; `(W,)`."""
    labels = _ELSEWHERE * base
    start, end = cloze.sentence
    near = (tokens >= start) & (tokens < end)
    labels[near] = _SENTENCE[0] + _SENTENCE[1] * base[near]
    if cloze.kind:
        alike = np.array([doc[int(token)].ent_type_ == cloze.kind for token in tokens])
        labels[alike] = np.maximum(labels, _SAME_KIND * base)[alike]
    asked = set(cloze.text.lower().rstrip("?").split())
    labels[[doc[int(token)].lower_ in asked for token in tokens]] *= _ASKED
    articles = np.array([doc[int(token)].pos_ == "DET" for token in tokens])
    lower = [token.lower_ for token in doc]
    form = lower[slice(*cloze.answer)]
    for at in range(len(doc) - len(form) + 1):
        if lower[at : at + len(form)] == form:
            labels[(tokens >= at) & (tokens < at + len(form))] = 1.0
            labels[(tokens == at - 1) & articles] = _ARTICLE
    return labels


def _row(passage: Document, words: Words, labels: Worth) -> dict[str, Any]:
    spans = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    return {
        "text": passage.text,
        "words": [passage.text[start:end] for start, end in spans],
        "labels": [round(float(label), 3) for label in labels],
        "source": passage.source,
        "document": passage.document,
    }
