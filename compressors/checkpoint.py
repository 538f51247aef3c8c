"""Models from the package, a folder or the hub. Knows no texts, no jobs.

Owns the choice of device and precision, and the 8-bit weights that ship.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from compressors.errors import CompressionError
from compressors.identity import question_tokens
from compressors.legibility import Literacy
from compressors.shapes import is_shape, load_shape

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
ON_CUDA = {"classifier": "float16", "causal": "bfloat16", "embedding": "float16"}
"""Classifiers decide as in float32 but for some 3 in 10,000 words in float16, ten times as many in bfloat16."""
_PACKED = "weights.safetensors"
_CLASSES: dict[str, Any] = {
    "classifier": AutoModelForTokenClassification,
    "causal": AutoModelForCausalLM,
    "embedding": AutoModel,
}
_LONGEST_WINDOW = 4096
"""Most tokens read in one sequence: some models declare a million, and attention is quadratic."""

Task = Literal["classifier", "causal", "embedding"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to run, with its tokenizer."""

    model: Any
    """A `torch.nn.Module` of transformers, in evaluation mode."""
    tokenizer: Any
    window: int
    """Tokens of one sequence, special tokens included."""
    device: torch.device
    literacy: Literacy
    question_tokens: int
    """Most tokens of a question that it was trained to read before a text; 0 if it reads none."""


def load_checkpoint(
    model: str,
    task: Task,
    *,
    folder: Path | None = None,
    device: str = "auto",
    dtype: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Checkpoint:
    """The model in `folder`, the shape that `model` names (`shapes`), or else what it names on the Hugging Face hub.

    `dtype` is float32 where none is given, but on a CUDA device bfloat16 for a causal model and float16 for
    others. A checkpoint that is quantised (GPTQ, AWQ, bitsandbytes) stays so; it needs the extra `laconic[quantized]`.

    Raises `CompressionError` if it isn't there, isn't a model for `task` (a token classifier needs two
    labels), or if `dtype` or `device` is unknown.
    """
    if dtype is not None and dtype not in _DTYPES:
        raise CompressionError(f"unknown dtype {dtype!r}; known are {', '.join(_DTYPES)}")
    source = model if folder is None else str(folder)
    options = {"revision": revision, "trust_remote_code": trust_remote_code}
    try:
        place = choose_device(device)
        form = _DTYPES[dtype or (ON_CUDA[task] if place.type == "cuda" else "float32")]
        if is_shape(model):
            module, tokenizer = load_shape(
                model, task, device=place, dtype=form, trust_remote_code=trust_remote_code
            )
            config = module.config
        else:
            config = AutoConfig.from_pretrained(source, **options)
            _require(task, model, config)
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
            module = _module(source, config, task, folder=folder, place=place, form=form, options=options)
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise CompressionError(f"can't load model {model!r}: {error}") from error
    declared = getattr(config, "laconic", None) or {}
    return Checkpoint(
        model=module.eval().requires_grad_(False),
        tokenizer=tokenizer,
        window=longest_window(module, tokenizer),
        device=place,
        literacy=Literacy(
            scripts=frozenset(declared.get("scripts", ())),
            fragmented_share=declared.get("fragmented_share", 1.0),
        ),
        question_tokens=question_tokens(declared),
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


def all_devices(device: str) -> list[str]:
    """The devices that `device` lists, between commas; `auto` stands for all CUDA devices, else for what it takes."""
    found: dict[str, None] = {}
    for name in (part.strip() for part in device.split(",")):
        if name == "auto" and torch.cuda.device_count() > 1:
            found |= {f"cuda:{number}": None for number in range(torch.cuda.device_count())}
        else:
            found[name] = None
    return list(found)


def choose_device(device: str) -> torch.device:
    """The device that `device` names; `auto` takes the first accelerator, else the CPU."""
    if device not in ("auto", "cuda"):
        return torch.device(device)
    if device == "cuda" or torch.cuda.is_available():
        return torch.device("cuda:0")  # one name for one device
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _require(task: Task, model: str, config: Any) -> None:
    if task == "causal":
        if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING and not getattr(config, "auto_map", None):
            raise CompressionError(f"{model!r} is no causal language model, its type is {config.model_type}")
        return
    if task == "embedding":
        return
    architectures = config.architectures or []
    if not any("ForTokenClassification" in name for name in architectures):
        found = ", ".join(architectures) or "unnamed"
        raise CompressionError(f"{model!r} is no token classifier, its architecture is {found}")
    if config.num_labels != 2:
        raise CompressionError(f"{model!r} has {config.num_labels} labels; drop and keep were expected")


def _module(
    source: str,
    config: Any,
    task: Task,
    *,
    folder: Path | None,
    place: torch.device,
    form: torch.dtype,
    options: dict[str, Any],
) -> Any:
    """The model of `config` with its weights, on its device."""
    if folder is not None and (folder / _PACKED).exists():
        return _unpack(folder / _PACKED, config, task).to(device=place, dtype=form)
    if getattr(config, "quantization_config", None):
        return _CLASSES[task].from_pretrained(source, config=config, device_map=place, **options)
    return _CLASSES[task].from_pretrained(source, config=config, dtype=form, **options).to(place)


def _unpack(path: Path, config: Any, task: Task) -> torch.nn.Module:
    """A model with the weights in `path`: `<name>.int8` (rows) times `<name>.scale`, or as they are."""
    packed = load_file(path)
    weights = {}
    for name, tensor in packed.items():
        if name.endswith(".int8"):
            scale = packed[name.removesuffix("int8") + "scale"].float()  # (rows,)
            weights[name.removesuffix(".int8")] = tensor.float() * scale[:, None]
        elif not name.endswith(".scale"):
            weights[name] = tensor.float()
    module: torch.nn.Module = _CLASSES[task].from_config(config)
    missing, unexpected = module.load_state_dict(weights, strict=False)
    tied = module.state_dict(keep_vars=True)
    held = {id(tied[name]) for name in weights if name in tied}
    if unexpected or any(id(tied[name]) not in held for name in missing):  # tied weights are stored once
        raise ValueError(f"{path.name} doesn't fit {type(module).__name__}")
    return module


def longest_window(module: torch.nn.Module, tokenizer: Any) -> int:
    """Longest sequence that both the position embeddings and the tokenizer allow."""
    longest = int(getattr(module.config, "max_position_embeddings", None) or _LONGEST_WINDOW)
    for name, child in module.named_modules():
        padding = getattr(child, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            longest -= padding + 1  # RoBERTa's positions begin after the padding's
    return min(longest, int(tokenizer.model_max_length), _LONGEST_WINDOW)
