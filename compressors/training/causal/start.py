"""The causal language model that a training begins with: one that is there, a BERT encoder made causal, or a new one.

Knows no data and no steps.

V: vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    BertConfig,
    BertLMHeadModel,
)

from compressors.checkpoint import load_checkpoint, longest_window
from compressors.errors import CompressionError
from compressors.identity import folder_of
from compressors.reading import Reader, TokenIds
from compressors.shapes import is_shape

_SHARPNESS = 0.5
_RARE = 0.1


@dataclass(frozen=True, slots=True)
class Start:
    """A model to train, float32 on the CPU, and its tokenizer."""

    model: Any
    tokenizer: Any
    window: int
    """Tokens of one sequence."""
    first: TokenIds
    """What stands before every sequence; `(S,)` int64, at least one."""
    is_headless: bool
    """Whether its output layer is new; see `learn_frequencies`."""


def load_start(name: str, *, fresh: bool = False, seed: int = 1) -> Start:
    """The model `name`: `embedded`, a folder, a hub name or `shape:NAME`; any causal model or BERT encoder.

    An encoder becomes a decoder: its attention is made causal, its output matrix is the embedding matrix, and the
    layer before that begins as the identity. `fresh` takes only configuration and tokenizer, and draws all weights
    with `seed`, as a shape's are. Raises `CompressionError` if it can't be loaded.
    """
    torch.manual_seed(seed)
    try:
        return _load(name, fresh)
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise CompressionError(f"can't start from {name!r}: {error}") from error


def _load(name: str, fresh: bool) -> Start:
    folder = None if is_shape(name) else folder_of("llmlingua", name)
    source = name if folder is None else str(folder)
    config = None if is_shape(name) else AutoConfig.from_pretrained(source)
    is_encoder = isinstance(config, BertConfig) and not config.is_decoder
    if config is None or not (is_encoder or fresh):
        checkpoint = load_checkpoint(name, "causal", folder=folder, device="cpu", dtype="float32")
        model, tokenizer = checkpoint.model.requires_grad_(True), checkpoint.tokenizer
    else:
        tokenizer = AutoTokenizer.from_pretrained(source)
        if is_encoder:
            tokenizer.model_max_length = config.max_position_embeddings
            model = _decoder(None if fresh else source, config, tokenizer)
        else:
            classes: Any = AutoModelForCausalLM
            model = classes.from_config(config, dtype=torch.float32)
    window = longest_window(model, tokenizer)
    return Start(model, tokenizer, window, Reader(tokenizer, window).start, is_encoder)


def _decoder(source: str | None, config: Any, tokenizer: Any) -> BertLMHeadModel:
    """A decoder of the form `config`, with the weights of the encoder in `source`, or with new ones."""
    changes: dict[str, Any] = {
        "architectures": ["BertLMHeadModel"],
        "is_decoder": True,
        "tie_word_embeddings": True,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    encoder = None if source is None else _encoder(source, config)
    config.update(changes)
    model = BertLMHeadModel(config)
    if encoder is not None:
        model.bert.load_state_dict(encoder)
    with torch.no_grad():
        torch.nn.init.eye_(model.cls.predictions.transform.dense.weight)
        model.cls.predictions.transform.LayerNorm.weight.fill_(_SHARPNESS)
    return model


def _encoder(source: str, config: Any) -> dict[str, torch.Tensor]:
    """The encoder's weights by name; raises `ValueError` if some are missing."""
    model, report = AutoModel.from_pretrained(
        source, config=config, dtype=torch.float32, add_pooling_layer=False, output_loading_info=True
    )
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"it lacks weights of a BERT encoder: {', '.join(missing)}")
    return model.state_dict()  # type: ignore[no-any-return]


@torch.no_grad()
def learn_frequencies(model: BertLMHeadModel, counts: npt.NDArray[np.float64]) -> None:
    """Let a decoder that was an encoder begin as a unigram model; `counts`, `(V,)`, says how often tokens occur."""
    shares = (counts + _RARE) / (counts + _RARE).sum()
    model.cls.predictions.bias.copy_(torch.from_numpy(np.log(shares)))
