"""What a model reads before a text that a question was asked about. Owns the form `[question] [SEP] [text]`.

Knows token ids, but no model and no text behind the question. One place for training and inference, so that
a model reads what it was trained on.
"""

from __future__ import annotations

import functools

import numpy as np

from compressors.errors import CompressionError
from compressors.reading import Reader, TokenIds

TOKENS = 64
"""Most tokens of a question; what is asked mostly stands at its end."""


class Questions:
    """Questions before texts, for one model.

    At most the last `tokens` of a question are read, and no more than half of what the window holds. Between the
    two stands what the tokenizer puts between a pair: [SEP] with BERT, </s></s> with RoBERTa. All tokens are of
    type 0.
    """

    def __init__(self, reader: Reader, tokens: int = TOKENS) -> None:
        self._reader = reader
        self.tokens = min(tokens, max(reader.capacity // 2, 1))
        """Most tokens of a question that are read."""

    def prefix(self, question: str) -> TokenIds:
        """The ids before the text, `(P,)` int64; without a question the reader's own prefix.

        Raises `CompressionError` if the tokenizer has nothing that separates two texts.
        """
        ids = self._reader.read(question, [(0, len(question))]).ids[-self.tokens :]
        if not len(ids) or not question.strip():
            return self._reader.prefix
        return np.concatenate((self._reader.prefix, ids, self._separator))

    @functools.cached_property
    def _separator(self) -> TokenIds:
        pair = self._reader.backend.encode("a", "a")
        first, second = (
            [i for i, number in enumerate(pair.sequence_ids) if number == text] for text in range(2)
        )
        between = np.array(pair.ids[first[-1] + 1 : second[0]], dtype=np.int64)
        if len(between):
            return between
        if not len(self._reader.suffix):
            raise CompressionError("the tokenizer has no token that separates a question from a text")
        return self._reader.suffix  # a tokenizer that says nothing of pairs
