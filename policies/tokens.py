"""Token counts as the upstream's model makes them. Knows tiktoken; needs no network."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

import tiktoken

_DEFAULT_ENCODING = "o200k_base"


class Tokenizer:
    """A tiktoken encoding that takes special tokens in a text for plain text."""

    def __init__(self, encoding: str) -> None:
        """`encoding` is a tiktoken name such as `o200k_base`; raises ValueError for an unknown one."""
        self.encoding = encoding
        self._encoding = tiktoken.get_encoding(encoding)

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""
        return len(self._encoding.encode_ordinary(text))

    def starts(self, text: str) -> Sequence[int]:
        """Character offset at which each token of `text` starts, ascending, one entry a token."""
        return self._encoding.decode_with_offsets(self._encoding.encode_ordinary(text))[1]


@functools.lru_cache(maxsize=1024)
def encoding_name(model: str) -> str:
    """Name of the encoding that `model` counts in; `o200k_base` for models that tiktoken doesn't know."""
    try:
        return tiktoken.encoding_name_for_model(model.rpartition("/")[2])
    except KeyError:
        return _DEFAULT_ENCODING


@functools.cache
def tokenizer(encoding: str) -> Tokenizer:
    """The shared `Tokenizer` of an encoding; the first call loads its vocabulary (a few hundred ms)."""
    # litellm ships the vocabularies; tiktoken would otherwise download them. Finding it doesn't import it.
    spec = importlib.util.find_spec("litellm")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    return Tokenizer(encoding)
