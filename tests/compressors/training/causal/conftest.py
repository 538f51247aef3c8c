"""A tiny encoder to start from and a little generated data of every kind."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, BertConfig, BertModel

from compressors.identity import EMBEDDED
from compressors.training.causal.corpus import read
from compressors.training.causal.loop import Training
from compressors.training.causal.loss import Batch, choose_loss
from compressors.training.causal.mixture import Mixture
from compressors.training.causal.recipe import Recipe
from compressors.training.causal.start import Start, load_start
from compressors.training.causal.texts import Tokens, tokenize

_NOUNS = ["dog", "cat", "bird", "horse", "cow", "man", "woman", "child"]
_VERBS = ["sees", "likes", "hears", "follows", "finds"]
CLS = 101


def sentence(chance: random.Random) -> str:
    return f"The {chance.choice(_NOUNS)} {chance.choice(_VERBS)} the {chance.choice(_NOUNS)}."


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with texts, labelled rows, and rows with questions: 80 documents in each file."""
    folder, chance = tmp_path_factory.mktemp("data"), random.Random(0)
    documents = ("".join(sentence(chance) + "\n" for _ in range(9)) for _ in range(80))
    with lzma.open(folder / "novels.txt.xz", "wt") as file:
        file.write("<|endoftext|>\n".join(documents))
    rows: dict[str, list[dict[str, Any]]] = {"news": [], "meetings": []}
    for i in range(80):
        words = " ".join(sentence(chance) for _ in range(9)).split()
        rows["news"].append(
            {"text": " ".join(words), "words": words, "labels": [j % 2 for j in range(len(words))]}
        )
        meeting = {"question": "What happened?", "id": f"m{i // 2}-s{i % 2}"}
        rows["meetings"].append({"words": words, "labels": [1] * len(words), **meeting})
    for name, some in rows.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in some)
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random BERT encoder and the real English vocabulary."""
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED["llmlingua2"])
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        architectures=["BertModel"],
    )
    config.save_pretrained(folder)
    torch.manual_seed(0)
    save_file(BertModel(config).state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture
def start(encoder: Path) -> Start:
    return load_start(str(encoder))


@pytest.fixture(scope="session")
def tokenizer(encoder: Path) -> Any:
    return load_start(str(encoder)).tokenizer


@pytest.fixture(scope="session")
def tokens(data: Path, tokenizer: Any) -> Tokens:
    return tokenize(read(data / "novels.txt.xz"), tokenizer).training


@pytest.fixture
def training(encoder: Path, tokens: Tokens) -> Callable[..., Training]:
    """Makes trainings by whose clock a step takes a second."""

    def make(
        *, clock: Callable[[], float] | None = None, tokens_at_once: int = 128, **recipe: Any
    ) -> Training:
        mixture = Mixture([(tokens, 1.0)], start=np.array([CLS]), seed=1)

        def batches(step: int, _progress: float) -> list[Batch]:
            windows = mixture.batch(step, rows=8, length=16)
            parts = torch.split(windows, tokens_at_once // 16)
            return [Batch(part[:, :-1], part[:, 1:]) for part in parts]

        model = load_start(str(encoder)).model
        settings = {"rate": 5e-4, **({} if "steps" in recipe else {"minutes": 1.0}), **recipe}
        return Training(
            model,
            batches,
            choose_loss(model, 4096),
            Recipe(**settings),
            clock=clock or count(0.0).__next__,
        )

    return make
