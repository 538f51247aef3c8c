"""Folders of trainings as `fit`, `pretrain` and `align` leave them, of tiny random models."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForTokenClassification,
    BertLMHeadModel,
)

import compressors
from compressors.identity import EMBEDDED
from compressors.training.folder import Folder
from compressors.training.record import Data, Record, digest

_FORM: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
FIGURES = {
    "fit": {"f1": 0.5, "average_precision": 0.5},
    "pretrain": {"bits_per_byte": 5.0},
    "align": {"nats_per_token": 9.0},
}


def _rows(path: Path, step: str) -> None:
    chance = random.Random(0)
    rows: list[dict[str, Any]] = []
    for number in range(80):
        words = [chance.choice(["dog", "cat", "Bird", "Horse"]) for _ in range(20)]
        labelled: dict[str, Any] = {"words": words, "labels": [int(word.istitle()) for word in words]}
        paired: dict[str, Any] = {"prompt": f"what is {number}?", "answer": " ".join(words)}
        rows.append(labelled if step == "fit" else paired if step == "align" else {"text": paired["answer"]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    """Makes the folder of a training by the step's name, its data beside it in `animals.jsonl`."""

    def make(step: str, **changes: Any) -> Path:
        data = tmp_path / "animals.jsonl"
        _rows(data, step)
        folder = tmp_path / step
        tokenizer = AutoTokenizer.from_pretrained(EMBEDDED["llmlingua2"])
        torch.manual_seed(0)
        form = {**_FORM, "vocab_size": len(tokenizer), "initializer_range": 0.2}
        model = (
            BertForTokenClassification(BertConfig(**form))
            if step == "fit"
            else BertLMHeadModel(BertConfig(is_decoder=True, **form))
        )
        files = Folder(folder)
        files.save_form(model, tokenizer)
        files.save_weights(model)
        source = Data(
            name="animals",
            path=str(data),
            sha256=digest(data),
            share=1.0,
            rows=80,
            held_out_rows=8,
            tokens=900,
            label_rate=0.5 if step == "fit" else None,
        )
        fields: dict[str, Any] = {
            "task": "classifier" if step == "fit" else "causal",
            "command": f"laconic train {step} --data animals.jsonl --out {step}",
            "start": "scratch",
            "parameters": 1,
            "data": [source],
            "settings": {"rate": 1e-4},
            "seed": 7,
            "steps": 10,
            "tokens": 1000,
            "minutes": 0.5,
            "precision": "float32",
            "environment": compressors.environment(),
            "figures": {"animals": FIGURES[step]},
        }
        Record(**{**fields, **changes}).save(folder)
        return folder

    return make
