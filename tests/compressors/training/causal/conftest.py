"""A tiny encoder to start from and a little generated data of every domain."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from compressors.identity import EMBEDDED
from compressors.training.causal.corpus import texts
from compressors.training.causal.loop import Recipe, Training
from compressors.training.causal.start import load_start, load_tokenizer
from compressors.training.causal.windows import Mixture, Tokens, tokenize

_NOUNS = ["dog", "cat", "bird", "horse", "cow", "man", "woman", "child"]
_VERBS = ["sees", "likes", "hears", "follows", "finds"]


def sentence(chance: random.Random) -> str:
    return f"The {chance.choice(_NOUNS)} {chance.choice(_VERBS)} the {chance.choice(_NOUNS)}."


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the real one, with 80 documents in each file."""
    folder, chance = tmp_path_factory.mktemp("data"), random.Random(0)
    (folder / "text").mkdir()
    (folder / "keepdrop").mkdir()
    for name in ("novels", "docs", "dialogues", "math", "code"):
        documents = ("".join(sentence(chance) + "\n" for _ in range(9)) for _ in range(80))
        with lzma.open(folder / "text" / f"{name}.txt.xz", "wt") as file:
            file.write("<|endoftext|>\n".join(documents))
    rows: dict[str, list[dict[str, Any]]] = {"google10k": [], "scitldr": [], "qmsum_train": []}
    for i in range(80):
        words = " ".join(sentence(chance) for _ in range(9)).split()
        labels = [j % 2 for j in range(len(words))]
        rows["google10k"].append({"text": " ".join(words), "words": words, "labels": labels})
        rows["scitldr"].append({"words": words, "labels": labels})
        meeting = {"question": "What happened?", "id": f"m{i // 2}-s{i % 2}"}
        rows["qmsum_train"].append({"words": words, "labels": [1] * len(words), **meeting})
    for name, some in rows.items():
        with gzip.open(folder / "keepdrop" / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in some)
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random BERT encoder and the real English vocabulary."""
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = load_tokenizer(EMBEDDED["llmlingua2"])
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    config.save_pretrained(folder)
    torch.manual_seed(0)
    save_file(BertModel(config).state_dict(), folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def tokenizer(encoder: Path) -> Any:
    return load_tokenizer(encoder)


@pytest.fixture(scope="session")
def tokens(data: Path, tokenizer: Any) -> Tokens:
    return tokenize(texts(data / "text" / "novels.txt.xz"), tokenizer).training


@pytest.fixture
def training(encoder: Path, tokenizer: Any, tokens: Tokens) -> Callable[..., Training]:
    """Makes trainings by whose clock a step takes a second."""

    def make(*, clock: Callable[[], float] | None = None, **recipe: Any) -> Training:
        counts = torch.bincount(torch.from_numpy(tokens.ids), minlength=len(tokenizer)).double().numpy()
        settings = {"minutes": 1.0, "batch_tokens": 128, "length": 16, "last_length": 32, **recipe}
        return Training(
            load_start(encoder, tokenizer, counts),
            Mixture([(tokens, 1.0)], first=tokenizer.cls_token_id, seed=1),
            Recipe(**settings),
            clock or count(0.0).__next__,
        )

    return make
