"""The real `llmlingua` 0.2.2 where it can be compared: without downloads, on the installed transformers.

Knows nothing of laconic.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import DynamicCache

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
    made.model = _TupleCache(made.model)
    return made


def around(package: Any, model: Any, tokenizer: Any) -> Any:
    """The package's compressor around a model that is there already."""

    class Loaded(package.PromptCompressor):  # type: ignore[misc]
        def load_model(self, *_: Any, **__: Any) -> None:
            self.tokenizer, self.model = tokenizer, _TupleCache(model)
            self.device = model.device
            self.context_idxs: list[Any] = []
            self.max_position_embeddings = model.config.max_position_embeddings

    tokenizer.padding_side = "left"
    tokenizer.pad_token_id = tokenizer.eos_token_id
    return Loaded()


class _TupleCache:
    """A causal model that takes and gives its past as tuples, as those that the package knows did.

    Each call gets a cache of its own, made without the model's configuration, so that no layer forgets.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        names = inspect.signature(model.forward).parameters
        self._past_name = "cache" if "cache" in names else "past_key_values"

    def __call__(
        self, input_ids: Any, attention_mask: Any = None, past_key_values: Any = None, use_cache: bool = True
    ) -> Any:
        cache: Any = DynamicCache()
        for number, (keys, values) in enumerate(past_key_values or ()):
            cache.update(keys, values, number)
        options = {self._past_name: cache}
        output = self._model(input_ids, attention_mask=attention_mask, use_cache=use_cache, **options)
        past = tuple((layer.keys, layer.values) for layer in cache.layers)
        return SimpleNamespace(logits=output.logits, past_key_values=past)
