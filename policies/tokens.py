"""Token counts as the upstream's model makes them. Knows tiktoken; needs no network."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tiktoken

_DEFAULT_ENCODING = "o200k_base"
_SHIPPED = frozenset(("o200k_base", "cl100k_base", "p50k_base"))
"""Encodings whose vocabulary is on disk; tiktoken would download another in the middle of a request."""
_LONGEST = 100_000


class Tokenizer:
    """A tiktoken encoding that takes special tokens in a text for plain text."""

    def __init__(self, encoding: str) -> None:
        """`encoding` is a tiktoken name such as `o200k_base`; raises ValueError for an unknown one."""
        self.encoding = encoding
        self._encoding = tiktoken.get_encoding(encoding)
        self._sizes = np.full(self._encoding.n_vocab, -1, dtype=np.int64)  # characters that begin in a token
        self._inner = np.zeros(self._encoding.n_vocab, dtype=np.int64)  # 1 where it begins within a character

    def __reduce__(self) -> tuple[Callable[[str], Tokenizer], tuple[str]]:
        """Goes to other processes by its name, and is loaded there once."""
        return tokenizer, (self.encoding,)

    def count(self, text: str) -> int:
        """Number of tokens in `text`; beyond 100,000 characters, up to one too many for each 100,000."""
        return sum(len(self._encoding.encode_ordinary(part)) for _, part in _parts(text))

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens that `count` counts."""
        return [token for _, part in _parts(text) for token in self._encoding.encode_ordinary(part)]

    def starts(self, text: str) -> Collection[int]:
        """Character offset at which each token of `text` starts, ascending, one entry a token; an int64 array."""
        parts = [
            offset + self._starts(np.array(self._encoding.encode_ordinary(part), dtype=np.int64))
            for offset, part in _parts(text)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def _starts(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A token begins in the character that its first byte belongs to; `(T,)` for `ids` of `(T,)`."""
        for token in np.unique(ids[self._sizes[ids] < 0]).tolist():
            content = np.frombuffer(self._encoding.decode_single_token_bytes(token), dtype=np.uint8)
            inner = (content & 0xC0) == 0x80  # bytes of a character after its first (UTF-8, RFC 3629)
            self._inner[token] = inner[0]  # before what says, to another thread, that the token is known
            self._sizes[token] = len(content) - inner.sum()
        before = np.cumsum(self._sizes[ids]) - self._sizes[ids]
        starts: npt.NDArray[np.int64] = np.maximum(before - self._inner[ids], 0)
        return starts


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """`text` in parts that tiktoken can take: it panics at a million spaces, and is slow at a million letters."""
    for start in range(0, len(text), _LONGEST):
        yield start, text[start : start + _LONGEST]


@functools.lru_cache(maxsize=1024)
def encoding_name(model: str) -> str:
    """Name of the encoding that `model` counts in; `o200k_base` where it isn't known or isn't on disk."""
    try:
        name = tiktoken.encoding_name_for_model(model.rpartition("/")[2])
    except KeyError:
        return _DEFAULT_ENCODING
    return name if name in _SHIPPED else _DEFAULT_ENCODING


@functools.cache
def tokenizer(encoding: str) -> Tokenizer:
    """The shared `Tokenizer` of an encoding; the first call loads its vocabulary (a few hundred ms)."""
    # litellm ships the vocabularies; tiktoken would otherwise download them. Finding it doesn't import it.
    spec = importlib.util.find_spec("litellm")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    return Tokenizer(encoding)
