"""Texts to the token sequences that a model reads. Owns tokenization, chunks and special tokens.

Knows Hugging Face tokenizers, but no model: no tensor passes through here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.base import Span
from compressors.characters import code_points, well_formed
from compressors.errors import CompressionError
from compressors.word_memory import WordMemory
from compressors.words import Offsets, Words

TokenIds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """The tokens of one text, without special tokens, `T` of them in reading order."""

    ids: TokenIds
    """`(T,)` int64."""
    starts: Offsets
    """Offset of each token's first character; `(T,)` int64, ascending."""
    ends: Offsets
    """Offset after each token's last character; `(T,)` int64, at least `starts`."""
    breaks: Offsets
    """Tokens at which a chunk has to start, because a document starts there; ascending."""


class Reader:
    """Tokenizes texts for one model.

    Raises `CompressionError` if the tokenizer can't tell the characters a token came from.
    """

    def __init__(self, tokenizer: Any, window: int) -> None:
        if not tokenizer.is_fast:
            raise CompressionError(f"{type(tokenizer).__name__} has no fast variant, which offsets need")
        sample = tokenizer("a", return_special_tokens_mask=True)
        content = [i for i, special in enumerate(sample["special_tokens_mask"]) if not special]
        ids = np.array(sample["input_ids"], dtype=np.int64)
        self.backend = tokenizer.backend_tokenizer  # set up last: calling the tokenizer resets it
        self.backend.no_truncation()
        self.backend.no_padding()
        self.backend.encode_special_tokens = True  # a literal "[SEP]" in a text is text
        self._memory = WordMemory(self.backend)
        self.prefix, self.suffix = ids[: content[0]], ids[content[-1] + 1 :]
        first = next(
            (
                i
                for i in (tokenizer.bos_token_id, tokenizer.cls_token_id, tokenizer.eos_token_id)
                if i is not None
            ),
            0,
        )
        self.start = self.prefix if len(self.prefix) else np.array([first], dtype=np.int64)
        """What a causal model reads first: the tokenizer's prefix or what stands in for it, at least one token."""
        self.capacity = window - len(self.prefix) - len(self.suffix)
        """Tokens of a text that fit into one chunk."""
        unknown = tokenizer.unk_token_id
        self.unknown_id: int = -1 if unknown is None else unknown
        special = np.array([] if unknown is None else tokenizer.all_special_ids, dtype=np.int64)
        self._is_special = np.zeros(max(len(tokenizer), *(special + 1), 1), dtype=np.bool_)  # (V,)
        self._is_special[special] = True

    def count(self, text: str) -> int:
        """Number of tokens in `text`, special tokens left out."""
        return len(self.backend.encode(well_formed(text), add_special_tokens=False).ids)

    def starts(self, text: str) -> Offsets:
        """Offset of each token's first character; `(T,)` int64."""
        return self.read(text, [(0, len(text))]).starts

    def read(self, text: str, pieces: Sequence[Span], fresh: Sequence[int] = ()) -> Reading:
        """The tokens of `pieces` of `text`, one after another; chunks have to start at offsets `fresh`."""
        text = well_formed(text)
        ids, offsets = self._encoded([text[start:end] for start, end in pieces])
        offsets = [part + start for part, (start, _) in zip(offsets, pieces, strict=True)]
        return self._reading(ids, offsets, fresh)

    def read_each(self, texts: Sequence[str]) -> list[Reading]:
        """The tokens of many texts, each read as a whole; faster than one by one."""
        encodings = self.backend.encode_batch([well_formed(text) for text in texts], add_special_tokens=False)
        return [self._reading([ids], [offsets]) for ids, offsets in map(_encoded, encodings)]

    def _reading(
        self, ids: Sequence[TokenIds], offsets: Sequence[Offsets], fresh: Sequence[int] = ()
    ) -> Reading:
        spans = np.concatenate([np.zeros((0, 2), np.int64), *offsets])  # (T, 2)
        starts = np.maximum.accumulate(spans[:, 0]) if len(spans) else spans[:, 0]
        flat = np.concatenate([np.zeros(0, np.int64), *ids])  # (T,)
        return Reading(
            # SentencePiece vocabularies hold "</s>" as a piece, too
            ids=np.where(self._is_special[flat], self.unknown_id, flat),
            starts=starts,
            ends=np.maximum(spans[:, 1], starts),
            breaks=np.unique(np.searchsorted(starts, np.array(fresh, dtype=np.int64))),
        )

    def _encoded(self, texts: Sequence[str]) -> tuple[list[TokenIds], list[Offsets]]:
        """Of each text the ids of its tokens, `(T,)`, and where they start and end, `(T, 2)`."""
        found = [self._memory.encode(text) for text in texts]
        others = [text for text, known in zip(texts, found, strict=True) if known is None]
        encodings = iter(self.backend.encode_batch(others, add_special_tokens=False) if others else ())
        ids, offsets = [], []
        for known in found:
            if known is None:
                own, spans = _encoded(next(encodings))
            else:
                own, spans = known[0], np.column_stack(known[1:])
            ids.append(own)
            offsets.append(spans)
        return ids, offsets

    def chunks(
        self, reading: Reading, text: str, words: Words, ends: Sequence[str], capacity: int | None = None
    ) -> list[Span]:
        """Token ranges that each hold at most `capacity` tokens, by default as many as the model's window.

        A chunk ends at a document's end, or as late as possible after one of `ends`, else between
        words, else anywhere.
        """
        total = len(reading.ids)
        capacity = self.capacity if capacity is None else capacity
        bounds = sorted({0, *reading.breaks.tolist(), total})
        if all(high - low <= capacity for low, high in pairwise(bounds)):
            return [(low, high) for low, high in pairwise(bounds) if low < high]
        word = np.searchsorted(words.ends, reading.starts, side="right")  # (T,) word of each token
        between = np.flatnonzero(word[1:] != word[:-1]) + 1  # tokens that begin a word
        preferred = between[np.isin(between, _after(reading, text, ends))]
        return [
            chunk
            for low, high in pairwise(bounds)
            for chunk in _fill(low, high, (preferred, between), capacity)
        ]

    def room(self, prefix: TokenIds) -> int:
        """Tokens of a text that fit into one chunk behind `prefix`."""
        return self.capacity + len(self.prefix) - len(prefix)

    def sequence(self, reading: Reading, chunk: Span, prefix: TokenIds | None = None) -> TokenIds:
        """What the model reads for `chunk`: its tokens behind `prefix`, by default the special ones; `(L,)` int64."""
        before = self.prefix if prefix is None else prefix
        return np.concatenate((before, reading.ids[chunk[0] : chunk[1]], self.suffix))


def _encoded(encoding: Any) -> tuple[TokenIds, Offsets]:
    """Ids of a tokenizer's encoding, `(T,)`, and where its tokens start and end, `(T, 2)`."""
    spans = np.fromiter(chain.from_iterable(encoding.offsets), np.int64)
    return np.array(encoding.ids, dtype=np.int64), spans.reshape(-1, 2)


def _fill(low: int, high: int, choices: Sequence[Offsets], capacity: int) -> list[Span]:
    chunks = []
    while high - low > capacity:
        cut = limit = low + capacity
        for choice in choices:
            place = int(np.searchsorted(choice, limit, side="right")) - 1
            if place >= 0 and choice[place] > low:
                cut = int(choice[place])
                break
        chunks.append((low, cut))
        low = cut
    return [*chunks, (low, high)] if high > low else chunks


def _after(reading: Reading, text: str, ends: Sequence[str]) -> Offsets:
    """Tokens before which one of the strings `ends` ends."""
    wanted = [end for end in ends if end]
    if all(len(end) == 1 for end in wanted):
        offsets = np.flatnonzero(np.isin(code_points(text), [ord(end) for end in wanted])) + 1
    else:
        pattern = "|".join(map(re.escape, wanted))
        offsets = np.fromiter((match.end() for match in re.finditer(pattern, text)), dtype=np.int64)
    return np.unique(np.searchsorted(reading.starts, offsets))
