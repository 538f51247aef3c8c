"""A text in chunks exactly as `llmlingua` 0.2.2 makes them, with a way back to the text.

Owns placeholders, cutting and the package's second tokenization. Knows no model, no probabilities.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from compressors.characters import well_formed
from compressors.reading import TokenIds
from compressors.words import Offsets

SEQUENCE = 512
"""Tokens of one sequence, whatever the model's window is."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a text as the package sends it to the model: `L` tokens, special tokens included."""

    text: str
    tokens: list[str]
    ids: TokenIds
    """`(L,)` int64."""
    spans: Offsets
    """Where in the text each token comes from, (0, 0) for none; `(L, 2)` int64."""


class Chunker:
    """Cuts texts for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()

    def count(self, text: str) -> int:
        """Number of tokens in `text`, special tokens left out."""
        return len(self._backend.encode(well_formed(text), add_special_tokens=False).ids)

    def chunks(self, text: str, placeholders: dict[str, str], ends: Collection[str]) -> list[Chunk]:
        """The chunks of `text`, with force tokens replaced by `placeholders`.

        Each ends with the last token of `ends` among up to 511, or has 511 tokens.
        """
        text, origin = _substitute(well_formed(text), placeholders)
        encoding = self._backend.encode(text, add_special_tokens=False)
        tokens = encoding.tokens
        spans = origin[np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)]  # (T, 2)
        chunks = []
        start = 0
        while start < len(tokens):
            end = start + SEQUENCE - 2
            if end > len(tokens) - 1:
                end = len(tokens) - 1
            else:
                end = next((at for at in range(end, start, -1) if tokens[at] in ends), end)
            chunks.append(self._chunk(tokens[start : end + 1], spans[start : end + 1]))
            start = end + 1
        return chunks

    def _chunk(self, tokens: list[str], spans: Offsets) -> Chunk:
        text = self._tokenizer.convert_tokens_to_string(tokens)
        again = self._backend.encode(text, add_special_tokens=False).tokens
        # the package names BERT's special tokens for every model; others read them as unknown
        framed = ["[CLS]", *again, "[SEP]"][:SEQUENCE]
        ids = self._tokenizer.convert_tokens_to_ids(framed)
        read = self._tokenizer.convert_ids_to_tokens(ids)
        return Chunk(text, read, np.array(ids, dtype=np.int64), _aligned(tokens, spans, framed))


def _substitute(text: str, placeholders: dict[str, str]) -> tuple[str, Offsets]:
    """`text` with one replacement after another, and where each of its characters (and its end) was."""
    origin = np.arange(len(text) + 1)
    for token, stand_in in placeholders.items():
        parts = text.split(token) if token else [text]
        pieces, at = [], 0
        for number, part in enumerate(parts):
            if number:
                pieces.append(np.full(len(stand_in), origin[at]))
                at += len(token)
            pieces.append(origin[at : at + len(part)])
            at += len(part)
        origin = np.concatenate([*pieces, origin[-1:]])
        text = stand_in.join(parts)
    return text, origin


def _aligned(tokens: list[str], spans: Offsets, framed: list[str]) -> Offsets:
    """The spans of `framed`, from those of `tokens`, of which it is a second tokenization."""
    result = np.zeros((len(framed), 2), dtype=np.int64)
    if framed[1:-1] == tokens:
        result[1:-1] = spans
        return result
    matcher = SequenceMatcher(None, tokens, framed, autojunk=False)
    for old, new, size in matcher.get_matching_blocks():
        result[new : new + size] = spans[old : old + size]
    return result
