"""A Hugging Face tokenizer as `llmlingua` 0.2.2 uses it. Knows no model, no budgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from compressors.characters import well_formed
from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.words import Offsets


class Codec:
    """Texts to tokens and back. Each text of a `session` is tokenized once."""

    def __init__(self, tokenizer: Any) -> None:
        sample = tokenizer("a", return_special_tokens_mask=True)
        content = [i for i, special in enumerate(sample["special_tokens_mask"]) if not special]
        ids = np.array(sample["input_ids"], dtype=np.int64)
        self._before, self._after = ids[: content[0]], ids[content[-1] + 1 :]
        self._tokenizer = tokenizer
        self._known: dict[str, TokenIds] = {}

    def session(self) -> Codec:
        """The same codec, which has seen no text yet and is to be forgotten after one prompt."""
        fresh = object.__new__(Codec)
        fresh.__dict__ |= self.__dict__ | {"_known": {}}
        return fresh

    def prepare(self, texts: Iterable[str]) -> None:
        """Tokenize `texts` in one go; they are going to be asked for."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            found = self._tokenizer([well_formed(text) for text in fresh], add_special_tokens=False)
            for text, ids in zip(fresh, found["input_ids"], strict=True):
                self._known[text] = np.array(ids, dtype=np.int64)

    def ids(self, text: str) -> TokenIds:
        """The tokens of `text` without special tokens; `(T,)` int64."""
        self.prepare([text])
        return self._known[text]

    def framed(self, text: str) -> TokenIds:
        """The tokens of `text` between the model's special tokens; `(T,)` int64."""
        return np.concatenate((self._before, self.ids(text), self._after))

    def length(self, text: str) -> int:
        """The number of tokens in `text`, special tokens included."""
        return len(self.ids(text)) + len(self._before) + len(self._after)

    def count(self, text: str) -> int:
        """The number of tokens in `text`, special tokens left out."""
        return len(self.ids(text))

    def offsets(self, text: str) -> Offsets:
        """Where in `text` each of its tokens stands; `(T, 2)` int64.

        Raises `CompressionError` if the tokenizer can't tell.
        """
        if not self._tokenizer.is_fast:
            raise CompressionError(
                f"{type(self._tokenizer).__name__} has no fast variant, which offsets need"
            )
        found = self._tokenizer(well_formed(text), add_special_tokens=False, return_offsets_mapping=True)
        return np.array(found["offset_mapping"], dtype=np.int64).reshape(-1, 2)

    def decode(self, ids: TokenIds | Sequence[int]) -> str:
        """The text of `ids`, special tokens spelled out."""
        text: str = self._tokenizer.decode(np.asarray(ids, dtype=np.int64).tolist())
        return text
