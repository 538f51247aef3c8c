"""Tiny random causal language models of the families in use, with a byte-level vocabulary made here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    CohereConfig,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PhiConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

WINDOW = 256
_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": WINDOW,
}
_GROUPED: dict[str, Any] = {**_SIZES, "num_key_value_heads": 2}
CONFIGS: dict[str, Any] = {
    "llama": lambda size: LlamaConfig(vocab_size=size, **_GROUPED),
    "gpt2": lambda size: GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=WINDOW),
    "phi": lambda size: PhiConfig(vocab_size=size, **_SIZES),
    "mistral": lambda size: MistralConfig(vocab_size=size, sliding_window=16, **_GROUPED),
    "qwen2": lambda size: Qwen2Config(vocab_size=size, **_GROUPED),
    "gemma2": lambda size: Gemma2Config(vocab_size=size, head_dim=8, **_GROUPED),
    "cohere": lambda size: CohereConfig(vocab_size=size, **_GROUPED),
    "bert": lambda size: BertConfig(vocab_size=size, is_decoder=True, **_SIZES),
}
_MERGED = ["the", "Ġthe", "Ġcommittee", "Ġof", "ing", "Ġbridge", "Ġnot", "ed", "Ġa", "Ġand", "er", "on"]


def model(kind: str, vocab_size: int) -> Any:
    """A `kind` of `CONFIGS` with weights spread so that tokens differ in surprise."""
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(CONFIGS[kind](vocab_size))  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(3.0)
    return made.eval().requires_grad_(False)


def tokenizer(merged: Iterable[str] = _MERGED) -> Any:
    """A byte-level tokenizer with a BOS that it puts before every text; `merged` are single tokens, Ġ a space."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = ["<s>", "</s>", *alphabet]
    merges: list[tuple[str, str]] = []
    for word in merged:  # each built up letter by letter
        for end in range(2, len(word) + 1):
            if word[:end] not in entries:
                entries.append(word[:end])
                merges.append((word[: end - 1], word[end - 1]))
    backend = Tokenizer(models.BPE({entry: i for i, entry in enumerate(entries)}, merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", model_max_length=WINDOW
    )


def save(kind: str, folder: Path) -> Path:
    """Write a model with its tokenizer to `folder`."""
    words = tokenizer()
    model(kind, len(words)).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
