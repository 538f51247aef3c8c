"""The real `llmlingua` 0.2.2 where it can be compared: without downloads, on the installed transformers.

Knows nothing of laconic but what lets the package run on today's transformers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from compressors.measuring.package import TupleCache

_SENTENCE = re.compile(r"\S.*?[.?!](?=\s|$)|\S.+?$", re.DOTALL)
_TOKEN = re.compile(r" ?\w{1,4}|\s|[^\w\s]")


class Counter:
    """Counts as tiktoken might; the package asks `encode`, laconic `count` and `starts`."""

    def encode(self, text: str, **_: Any) -> list[str]:
        return _TOKEN.findall(text)

    def count(self, text: str) -> int:
        return len(self.encode(text))

    def starts(self, text: str) -> list[int]:
        return [match.start() for match in _TOKEN.finditer(text)]


def split(text: str) -> list[str]:
    """Sentences as nltk gives them: without the white space between them."""
    return _SENTENCE.findall(text)


@contextmanager
def installed() -> Iterator[Any]:
    """The package, whose tokenizer for counts and sentence splitter need no download."""
    llmlingua = pytest.importorskip("llmlingua", reason="the oracle: pip install llmlingua==0.2.2")
    import nltk  # type: ignore[import-untyped]
    import tiktoken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiktoken, "encoding_for_model", lambda _: Counter())
        patch.setattr(nltk, "sent_tokenize", split)
        yield llmlingua


def compressor(package: Any, folder: Path, device: str = "cpu") -> Any:
    """The package's compressor with the causal model in `folder`."""
    made = package.PromptCompressor(str(folder), device_map=device)
    made.model = TupleCache(made.model)
    return made


def around(package: Any, model: Any, tokenizer: Any) -> Any:
    """The package's compressor around a model that is there already."""

    class Loaded(package.PromptCompressor):  # type: ignore[misc]
        def load_model(self, *_: Any, **__: Any) -> None:
            self.tokenizer, self.model = tokenizer, TupleCache(model)
            self.device = model.device
            self.context_idxs: list[Any] = []
            self.max_position_embeddings = model.config.max_position_embeddings

    tokenizer.padding_side = "left"
    tokenizer.pad_token_id = tokenizer.eos_token_id
    return Loaded()
