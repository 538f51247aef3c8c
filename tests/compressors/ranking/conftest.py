"""Tiny random models of the kinds that rank; the library is an extra, so tests skip without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

_SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
_WORDS = [
    "the",
    "of",
    "is",
    "who",
    "river",
    "bridge",
    "castle",
    "prague",
    "charles",
    "built",
    "longest",
    "gold",
]


@pytest.fixture(scope="session")
def ranking_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with a tiny random BERT of 64 positions: encoder, reranker, or classifier (3 labels)."""
    pytest.importorskip("sentence_transformers")
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            torch.manual_seed(0)
            entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
            entries += [*"abcdefghijklmnopqrstuvwxyz.?", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
            tokenizer = BertTokenizer(vocab={entry: i for i, entry in enumerate(entries)})
            labels = {"encoder": 2, "reranker": 1, "classifier": 3}[kind]
            config = BertConfig(vocab_size=len(entries), **_SMALL, num_labels=labels)  # type: ignore[call-arg]
            model = BertModel(config) if kind == "encoder" else BertForSequenceClassification(config)
            with torch.no_grad():
                for weight in model.parameters():
                    weight.mul_(8)  # else all texts are nearly the same to it
            made[kind] = tmp_path_factory.mktemp("rankers") / kind
            model.save_pretrained(made[kind])
            tokenizer.save_pretrained(made[kind])
        return made[kind]

    return folder
