"""Token-classification models from the package, a folder or the hub. Knows no texts, no jobs.

Owns the choice of device and precision, and the 8-bit weights that ship.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from compressors.base import CompressionError
from compressors.identity import folder_of
from compressors.legibility import Literacy

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_PACKED = "weights.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A token classifier ready to run, with its tokenizer."""

    model: Any
    """A `torch.nn.Module` of transformers, in evaluation mode."""
    tokenizer: Any
    window: int
    """Tokens of one sequence, special tokens included."""
    device: torch.device
    literacy: Literacy


def load_checkpoint(
    model: str,
    *,
    device: str = "auto",
    dtype: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Checkpoint:
    """The model that `model` names: `embedded`, a folder, or a name on the Hugging Face hub.

    Raises `CompressionError` if it isn't there, isn't a token classifier with two labels, or if
    `dtype` or `device` is unknown.
    """
    if dtype is not None and dtype not in _DTYPES:
        raise CompressionError(f"unknown dtype {dtype!r}; known are {', '.join(_DTYPES)}")
    folder = folder_of("llmlingua2", model)
    source = model if folder is None else str(folder)
    options = {"revision": revision, "trust_remote_code": trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(source, **options)
        _require_classifier(model, config)
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        if folder is not None and (folder / _PACKED).exists():
            module = _unpack(folder / _PACKED, config)
        else:
            module = AutoModelForTokenClassification.from_pretrained(source, config=config, **options)
        place = choose_device(device)
        module = module.to(device=place, dtype=_DTYPES[dtype or "float32"])
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CompressionError(f"can't load model {model!r}: {error}") from error
    declared = getattr(config, "laconic", None) or {}
    return Checkpoint(
        model=module.eval().requires_grad_(False),
        tokenizer=tokenizer,
        window=_window(module, tokenizer),
        device=place,
        literacy=Literacy(
            scripts=frozenset(declared.get("scripts", ())),
            fragmented_share=declared.get("fragmented_share", 1.0),
        ),
    )


def extend_vocabulary(checkpoint: Checkpoint, tokens: Sequence[str]) -> frozenset[str]:
    """Add special `tokens` to the tokenizer and the model, untrained; gives those there were before.

    Their embeddings are drawn with the seed of the llmlingua package, 42, as transformers draws them.
    """
    tokenizer, model = checkpoint.tokenizer, checkpoint.model
    special = {v for k, v in tokenizer.special_tokens_map.items() if k != "additional_special_tokens"}
    if not model.config.pad_token_id:  # the package takes 0 for "none"
        special.discard(tokenizer.pad_token)
    tokenizer.add_special_tokens({"additional_special_tokens": list(tokens)})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(42)
        model.resize_token_embeddings(len(tokenizer))
    return frozenset(special)


def choose_device(device: str) -> torch.device:
    """The device that `device` names; `auto` takes the first accelerator, else the CPU."""
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _require_classifier(model: str, config: Any) -> None:
    architectures = config.architectures or []
    if not any("ForTokenClassification" in name for name in architectures):
        found = ", ".join(architectures) or "unnamed"
        raise CompressionError(f"{model!r} is no token classifier, its architecture is {found}")
    if config.num_labels != 2:
        raise CompressionError(f"{model!r} has {config.num_labels} labels; drop and keep were expected")


def _unpack(path: Path, config: Any) -> torch.nn.Module:
    """A model with the weights in `path`: `<name>.int8` (rows) times `<name>.scale`, or as they are."""
    packed = load_file(path)
    weights = {}
    for name, tensor in packed.items():
        if name.endswith(".int8"):
            scale = packed[name.removesuffix("int8") + "scale"].float()  # (rows,)
            weights[name.removesuffix(".int8")] = tensor.float() * scale[:, None]
        elif not name.endswith(".scale"):
            weights[name] = tensor.float()
    module: torch.nn.Module = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    module.load_state_dict(weights)
    return module


def _window(module: torch.nn.Module, tokenizer: Any) -> int:
    """Longest sequence that both the position embeddings and the tokenizer allow."""
    longest = int(module.config.max_position_embeddings)  # type: ignore[union-attr, arg-type]
    for name, child in module.named_modules():
        padding = getattr(child, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            longest -= padding + 1  # RoBERTa's positions begin after the padding's
    return min(longest, int(tokenizer.model_max_length))
