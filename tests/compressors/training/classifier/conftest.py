"""A tiny encoder with a small vocabulary of whole words and pieces, and rows made of it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from compressors.questions import Questions
from compressors.reading import Reader
from compressors.training.classifier.examples import Example, Examples
from compressors.training.classifier.loop import Training
from compressors.training.classifier.mixture import Mixture
from compressors.training.classifier.recipe import Recipe
from compressors.training.classifier.start import Start, load_start
from compressors.training.precision import Precision
from compressors.training.rows import read
from tests.fakes.classifier import tiny_classifier

NAMES = ["Anna", "Bonn", "Carl", "Dover"]
OTHERS = ["house", "river", "bridge", "market", "near", "old"]
Write = Callable[..., Path]


def sentence(chance: random.Random) -> list[str]:
    return [*chance.choices(NAMES + OTHERS, k=chance.randint(4, 16)), "."]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token classifier with random weights; Dover is two pieces."""
    words = [".", ",", *NAMES[:3], *OTHERS, "Do", "##ver"]
    return tiny_classifier(tmp_path_factory.mktemp("encoder"), words, hidden=32, layers=2, window=32)


@pytest.fixture
def start(folder: Path) -> Start:
    return load_start(str(folder))


@pytest.fixture(scope="session")
def examples(folder: Path) -> Examples:
    reader = Reader(AutoTokenizer.from_pretrained(folder), 32)
    return Examples(reader, Questions(reader))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of rows."""

    def rows(name: str, *rows: dict[str, Any]) -> Path:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return rows


@pytest.fixture
def names(write: Write) -> Path:
    """60 rows that keep names."""
    chance = random.Random(0)
    texts = [sentence(chance) for _ in range(60)]
    return write(
        "names", *({"words": words, "labels": [int(word in NAMES) for word in words]} for words in texts)
    )


@pytest.fixture
def some(examples: Examples, names: Path) -> list[Example]:
    return [example for part in examples.of(list(read(names))) for example in part]


@pytest.fixture
def training(folder: Path, some: Sequence[Example]) -> Callable[..., Training]:
    """Makes trainings that begin alike."""

    def make(
        *,
        dropout: float = 0.0,
        precision: Precision = "float32",
        clock: Callable[[], float] = time.monotonic,
        **recipe: Any,
    ) -> Training:
        settings = {"steps": 20, "batch_tokens": 60, "rate": 1e-2, **recipe}
        return Training(
            load_start(str(folder), dropout=dropout).model,
            Mixture([some[:40], some[40:]], [0.5, 0.5], seed=1),
            [0.4, 0.4],
            Recipe(**settings),
            pad_id=0,
            precision=precision,
            clock=clock,
        )

    return make
