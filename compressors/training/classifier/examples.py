"""Rows to what a model is trained on: token ids and the word that each token belongs to. Knows no model.

L: tokens of a sequence, W: words of which it has tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compressors.base import Job
from compressors.questions import Questions
from compressors.reading import Reader, Reading, TokenIds
from compressors.training.rows import Row
from compressors.words import Words

NO_WORD = -1
_ENDS = Job(text="").chunk_end_tokens
_ROWS = 1000
"""Rows that are tokenized at once."""


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence, special tokens included, just as it is read when a text is shortened."""

    ids: npt.NDArray[np.int64]
    """`(L,)` int64."""
    words: npt.NDArray[np.int64]
    """The word that each token belongs to, `NO_WORD` for special tokens and the question's; `(L,)` int64."""
    labels: npt.NDArray[np.float32]
    """How likely each word stays; `(W,)` float32 in [0, 1]."""

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """What each token counts, so that each word counts as one; `(L,)` float32, 0 outside words."""
        belongs = self.words != NO_WORD
        tokens = np.bincount(self.words[belongs], minlength=len(self.labels))  # (W,)
        weights = np.zeros(len(self.ids), np.float32)
        weights[belongs] = 1.0 / tokens[self.words[belongs]]
        return weights

    @property
    def targets(self) -> npt.NDArray[np.float32]:
        """The label of each token's word; `(L,)` float32, 0 outside words."""
        return np.append(self.labels, np.float32(0.0))[self.words]  # NO_WORD is the last


class Examples:
    """Turns rows into examples for one model; a text that is longer than its window becomes several."""

    def __init__(self, reader: Reader, questions: Questions) -> None:
        self._reader = reader
        self._questions = questions

    def of(self, rows: Sequence[Row]) -> Iterator[list[Example]]:
        """The examples of each row, in order; none of them without words."""
        for low in range(0, len(rows), _ROWS):
            some = rows[low : low + _ROWS]
            prefixes = {
                question: self._questions.prefix(question) for question in {row.question for row in some}
            }
            texts = list(dict.fromkeys(row.text for row in some))  # often one has several questions
            readings = dict(zip(texts, self._reader.read_each(texts), strict=True))
            for row in some:
                yield list(self._cut(row, readings[row.text], prefixes[row.question]))

    def _cut(self, row: Row, reading: Reading, prefix: TokenIds) -> Iterator[Example]:
        reader = self._reader
        word = _word_of_each(reading, row.words)  # (T,)
        for low, high in reader.chunks(reading, row.text, row.words, _ENDS, reader.room(prefix)):
            present, numbers = np.unique(word[low:high], return_inverse=True)
            if len(present) and present[0] == NO_WORD:
                present, numbers = present[1:], numbers - 1
            if not len(present):
                continue
            ids = reader.sequence(reading, (low, high), prefix)
            words = np.full(len(ids), NO_WORD, np.int64)
            words[len(prefix) : len(prefix) + high - low] = numbers
            yield Example(ids, words, row.labels[present])


def _word_of_each(reading: Reading, words: Words) -> npt.NDArray[np.int64]:
    """The first word that each token touches, or `NO_WORD`; `(T,)` int64."""
    first = np.searchsorted(words.ends, reading.starts, side="right")
    starts = np.append(words.starts, np.iinfo(np.int64).max)
    return np.where(starts[first] < reading.ends, first, NO_WORD)
