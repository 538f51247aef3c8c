"""Makes a causal language model out of a BERT encoder. Knows nothing of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, BertConfig, BertLMHeadModel

LITERACY = {"scripts": ["LATIN"], "fragmented_share": 0.4}
"""What the model can read: see `compressors.legibility`."""
_SHARPNESS = 0.5
_RARE = 0.1


def load_tokenizer(folder: Path) -> Any:
    """The encoder's tokenizer, without the truncation and padding that it may come with."""
    tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=512)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def load_start(folder: Path, tokenizer: Any, counts: npt.NDArray[np.float64]) -> BertLMHeadModel:
    """A decoder with the encoder's weights and an output layer that begins as a unigram model.

    `counts`, `(V,)`, says how often each token occurs. The output matrix is the embedding matrix; the
    layer before it begins as the identity. Raises `ValueError` if the folder holds no whole encoder.
    """
    model = BertLMHeadModel(_configuration(folder, tokenizer))
    weights = {name.removeprefix("bert."): w for name, w in load_file(folder / "model.safetensors").items()}
    missing, _ = model.bert.load_state_dict(weights, strict=False)
    if missing:
        raise ValueError(f"{folder} lacks weights of a BERT encoder: {', '.join(missing)}")
    head = model.cls.predictions
    with torch.no_grad():
        torch.nn.init.eye_(head.transform.dense.weight)
        head.transform.LayerNorm.weight.fill_(_SHARPNESS)
        shares = (counts + _RARE) / (counts + _RARE).sum()
        head.bias.copy_(torch.from_numpy(np.log(shares)))
    return model


def _configuration(folder: Path, tokenizer: Any) -> BertConfig:
    config = BertConfig.from_pretrained(folder)
    changes: dict[str, Any] = {
        "architectures": ["BertLMHeadModel"],
        "is_decoder": True,
        "tie_word_embeddings": True,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "laconic": LITERACY,
    }
    config.update(changes)
    return config
