"""The token classifier that a training begins with. Knows no data and no steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from compressors.checkpoint import load_checkpoint, longest_window
from compressors.errors import CompressionError
from compressors.identity import folder_of
from compressors.shapes import is_shape

_LABELS = {"num_labels": 2, "id2label": {0: "drop", 1: "keep"}, "label2id": {"drop": 0, "keep": 1}}
_PACKED = "weights.safetensors"


@dataclass(frozen=True, slots=True)
class Start:
    """A model to train, float32 on the CPU, and its tokenizer."""

    model: Any
    tokenizer: Any
    window: int
    """Tokens of one sequence, special tokens included."""


def load_start(
    name: str,
    *,
    fresh: bool = False,
    layers: Sequence[int] | None = None,
    dropout: float = 0.0,
    seed: int = 1,
) -> Start:
    """The model `name`: `embedded`, a folder, a hub name or `shape:NAME`; any encoder of transformers.

    What it lacks, such as the head over an encoder, is drawn with `seed`; `fresh` draws all of it. `layers` are
    those that stay, from 0. `dropout` is that of all its layers.

    Raises `CompressionError` if it can't be loaded or has no such layers.
    """
    torch.manual_seed(seed)
    try:
        start = _load(name, fresh)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise CompressionError(f"can't start from {name!r}: {error}") from error
    if layers is not None:
        _pick(start.model, layers)
    for module in start.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    return start


def _load(name: str, fresh: bool) -> Start:
    folder = None if is_shape(name) else folder_of("llmlingua2", name)
    if is_shape(name) or (folder is not None and (folder / _PACKED).exists() and not fresh):
        checkpoint = load_checkpoint(name, "classifier", folder=folder, device="cpu", dtype="float32")
        return Start(checkpoint.model.requires_grad_(True), checkpoint.tokenizer, checkpoint.window)
    source = name if folder is None else str(folder)
    config = AutoConfig.from_pretrained(source, **_LABELS)
    tokenizer = AutoTokenizer.from_pretrained(source)
    if fresh:
        model = AutoModelForTokenClassification.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    else:
        model = AutoModelForTokenClassification.from_pretrained(source, config=config, dtype=torch.float32)
    return Start(model, tokenizer, longest_window(model, tokenizer))


def _pick(model: Any, layers: Sequence[int]) -> None:
    """Leave only `layers` of the model's stack, in place."""
    count = model.config.num_hidden_layers
    if not layers or any(layer not in range(count) for layer in layers):
        raise CompressionError(f"the model's layers are 0 to {count - 1}; there are no layers {list(layers)}")
    for parent in model.base_model.modules():
        for name, stack in parent.named_children():
            if isinstance(stack, torch.nn.ModuleList) and len(stack) == count:
                if len({tuple(layer.state_dict()) for layer in stack}) > 1:  # ModernBERT's first has no norm
                    raise CompressionError(
                        f"the layers of {type(model).__name__} differ, so that none can be left out"
                    )
                setattr(parent, name, torch.nn.ModuleList(stack[layer] for layer in layers))
                model.config.num_hidden_layers = len(layers)
                return
    raise CompressionError(f"can't find the layers of {type(model).__name__}")
