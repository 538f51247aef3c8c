"""The llmlingua package with a model that is loaded here: the same weights and tokenizer, nothing downloaded.

Owns what the package needs to run on today's transformers. Knows no texts.
"""

from __future__ import annotations

import inspect
import json
from types import SimpleNamespace
from typing import Any, Protocol

from transformers import DynamicCache

from compressors.checkpoint import load_checkpoint
from compressors.errors import CompressionError
from compressors.identity import folder_of


class Encoding(Protocol):
    """What the package counts tokens with, in tiktoken's place."""

    def encode(self, text: str) -> list[int]:
        """The tokens of `text`."""


def package(
    method: str, model: str, *, encoding: Encoding, device: str = "auto", dtype: str | None = None
) -> Any:
    """The package's `PromptCompressor` for `method` with `model`, as `compressors.load` takes them.

    LLMLingua-2 is always in float32, the only dtype the package can read probabilities in. Sentences can't be
    filtered: that would need nltk's data. Its constructor seeds random numbers and cuDNN for the whole process.

    Raises `CompressionError` if the package isn't installed or the model can't be loaded.
    """
    try:
        from llmlingua import PromptCompressor  # type: ignore[import-untyped]
    except ImportError as error:
        raise CompressionError(
            f"the llmlingua package is needed to measure beside it: pip install llmlingua==0.2.2 ({error})"
        ) from error
    classifies = method == "llmlingua2"
    checkpoint = load_checkpoint(
        model,
        "classifier" if classifies else "causal",
        folder=folder_of(method, model),
        device=device,
        dtype="float32" if classifies else dtype,
    )
    made = PromptCompressor.__new__(PromptCompressor)  # its constructor loads by name, and counts by download
    made.model_name = _known_name(checkpoint.tokenizer) if classifies else model
    made.use_llmlingua2 = classifies
    made.retrieval_model = made.retrieval_model_name = None
    made.open_api_config = {}
    made.cache_bos_num, made.prefix_bos_num = 10, 100
    made.oai_tokenizer = encoding
    made.device = str(checkpoint.device)
    made.model = checkpoint.model if classifies else TupleCache(checkpoint.model)
    made.tokenizer = checkpoint.tokenizer
    made.tokenizer.padding_side = "left"
    made.tokenizer.pad_token_id = checkpoint.model.config.pad_token_id or made.tokenizer.eos_token_id
    made.context_idxs = []
    made.max_position_embeddings = checkpoint.model.config.max_position_embeddings
    if classifies:
        made.init_llmlingua2()
    return made


def _known_name(tokenizer: Any) -> str:
    """The name that the package tells a vocabulary's word rule by."""
    kind = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"]
    names = {"WordPiece": "bert-base-multilingual-cased", "Unigram": "xlm-roberta-large"}
    if kind not in names:
        raise CompressionError(f"llmlingua 0.2.2 has no word rule for {kind} vocabularies")
    return names[kind]


class TupleCache:
    """A causal model that takes and gives its past as tuples, which the package knows.

    Each call gets a cache of its own, made without the model's configuration, so that no layer forgets.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        names = inspect.signature(model.forward).parameters
        self._past_name = "cache" if "cache" in names else "past_key_values"  # renamed within transformers 5

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
