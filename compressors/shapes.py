"""Models of known shapes with random weights: as fast as the real ones, with nothing to download.

Owns the shapes and how their weights are drawn. Knows no texts, no jobs.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.overrides import TorchFunctionMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)

from compressors.errors import CompressionError
from compressors.identity import EMBEDDED, SHAPE

BYTES = "bytes"
"""Behind the `@`: a byte-level vocabulary made here, which gives a text back as it was, as GPT-2's and Llama's do."""

_SEED = 0
_BYTE_ENTRIES, _FREQUENCY = 20_000, 3000
_STD = 0.02
_DRAWS = frozenset(("normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_"))
"""What torch.nn.init and tensors call them."""
_BERT = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "type_vocab_size": 2}
SHAPES: dict[str, tuple[Literal["classifier", "causal"], str, dict[str, Any]]] = {
    # huggingface.co/FacebookAI/xlm-roberta-large, config.json
    "xlm-roberta-large": (
        "classifier",
        "xlm-roberta",
        {
            "vocab_size": 250_002,
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "max_position_embeddings": 514,
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-5,
            "type_vocab_size": 1,
        },
    ),
    # huggingface.co/google-bert/bert-base-multilingual-cased, config.json
    "mbert": (
        "classifier",
        "bert",
        {
            "vocab_size": 119_547,
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
            "max_position_embeddings": 512,
            **_BERT,
        },
    ),
    # huggingface.co/openai-community/gpt2, config.json
    "gpt2": (
        "causal",
        "gpt2",
        {
            "vocab_size": 50_257,
            "n_embd": 768,
            "n_layer": 12,
            "n_head": 12,
            "n_positions": 1024,
            "activation_function": "gelu_new",
        },
    ),
    # huggingface.co/meta-llama/Llama-2-7b-hf, config.json
    "llama-2-7b": (
        "causal",
        "llama",
        {
            "vocab_size": 32_000,
            "hidden_size": 4096,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "intermediate_size": 11_008,
            "max_position_embeddings": 4096,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10_000.0,
            "hidden_act": "silu",
            "tie_word_embeddings": False,
        },
    ),
    # huggingface.co/microsoft/phi-2, config.json
    "phi-2": (
        "causal",
        "phi",
        {
            "vocab_size": 51_200,
            "hidden_size": 2560,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "intermediate_size": 10_240,
            "max_position_embeddings": 2048,
            "layer_norm_eps": 1e-5,
            "rope_theta": 10_000.0,
            "partial_rotary_factor": 0.4,
            "hidden_act": "gelu_new",
            "tie_word_embeddings": False,
        },
    ),
    # huggingface.co/Qwen/Qwen2.5-0.5B, config.json
    "qwen2.5-0.5b": (
        "causal",
        "qwen2",
        {
            "vocab_size": 151_936,
            "hidden_size": 896,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "intermediate_size": 4864,
            "max_position_embeddings": 32_768,
            "rms_norm_eps": 1e-6,
            "rope_theta": 1_000_000.0,
            "hidden_act": "silu",
            "tie_word_embeddings": True,
        },
    ),
}
"""For each shape its task, its type in transformers, and what its configuration says."""


def is_shape(model: str) -> bool:
    """Whether `model` names a shape: `shape:NAME`, or `shape:NAME@TOKENIZER`."""
    return model.startswith(SHAPE)


def task_of(model: str) -> Literal["classifier", "causal"]:
    """What the shape that `model` names is for; raises `CompressionError` for an unknown one."""
    return SHAPES[_parts(model)[0]][0]


def config_of(model: str) -> Any:
    """The configuration of the shape that `model` names, as transformers has it; two labels for a classifier.

    Raises `CompressionError` for an unknown shape.
    """
    name, _ = _parts(model)
    task, kind, values = SHAPES[name]
    labels = {"num_labels": 2} if task == "classifier" else {}
    return AutoConfig.for_model(kind, initializer_range=_STD, **values, **labels)


def load_shape(
    model: str,
    task: str,
    *,
    device: torch.device,
    dtype: torch.dtype,
    trust_remote_code: bool = False,
) -> tuple[Any, Any]:
    """The shape that `model` names, on `device` in `dtype`, and its tokenizer.

    Each weight is drawn in float32 and rounded, so that the same kind of device gives the same weights in
    every dtype, up to rounding; no more than one weight is held twice. The tokenizer is that of the
    embedded model for `task`; or what an `@` is followed by: a folder, a hub name, or `bytes`.

    Raises `CompressionError` for an unknown shape, one that isn't for `task`, or a tokenizer that has more
    entries than the shape; `OSError` or `ValueError` for a tokenizer that can't be loaded.
    """
    name, words = _parts(model)
    if SHAPES[name][0] != task:
        allowed = ", ".join(SHAPE + known for known, shape in SHAPES.items() if shape[0] == task) or "none"
        raise CompressionError(f"{model!r} is no {task} model; such shapes are {allowed}")
    config = config_of(model)
    method = "llmlingua2" if task == "classifier" else "llmlingua"
    tokenizer: Any
    if words == BYTES:
        tokenizer = _byte_level(
            AutoTokenizer.from_pretrained(EMBEDDED[method]), min(_BYTE_ENTRIES, config.vocab_size)
        )
    else:
        options: dict[str, Any] = {"config": config, "trust_remote_code": trust_remote_code} if words else {}
        tokenizer = AutoTokenizer.from_pretrained(words or EMBEDDED[method], **options)
    if len(tokenizer) > config.vocab_size:
        raise CompressionError(
            f"{model!r}: its tokenizer has {len(tokenizer)} entries, the shape only {config.vocab_size}"
        )
    positions = int(config.max_position_embeddings)
    tokenizer.model_max_length = positions if task == "causal" else min(positions, 512)
    for key in ("pad_token_id", "bos_token_id", "eos_token_id"):
        setattr(config, key, getattr(tokenizer, key))
    classes: Any = AutoModelForTokenClassification if task == "classifier" else AutoModelForCausalLM
    with torch.device(device), _Undrawn():
        module = classes.from_config(config, dtype=dtype)
    _draw(module, device)
    return module, tokenizer


def _parts(model: str) -> tuple[str, str]:
    """Name and tokenizer, if one is given."""
    name, _, words = model.removeprefix(SHAPE).partition("@")
    if name not in SHAPES:
        allowed = ", ".join(SHAPE + known for known in SHAPES)
        raise CompressionError(f"unknown shape {model!r}; known are {allowed}")
    return name, words


def _byte_level(words: Any, size: int) -> Any:
    """A byte-level tokenizer of `size` entries with a BOS before every text, trained on the entries of `words`."""
    known = words.get_vocab()
    entries = sorted((entry for entry in known if entry.isalpha() and len(entry) > 1), key=known.__getitem__)
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    forms = (
        form
        for rank, entry in enumerate(entries, 1)
        for _ in range(
            1 + _FREQUENCY // rank
        )  # BERT's entries are in the order of their frequency (Zipf's law)
        for form in (f" {entry}", f" {entry.capitalize()}", entry.capitalize())
    )
    backend.train_from_iterator(forms, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", backend.token_to_id("<s>"))]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)  # type: ignore[no-untyped-call]


class _Undrawn(TorchFunctionMode):
    """Leaves out, on this thread, the random numbers that a model's making draws for every weight."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if getattr(func, "__name__", "") in _DRAWS:
            return args[0] if args else options["tensor"]
        return func(*args, **options)


@torch.no_grad()
def _draw(module: Any, device: torch.device) -> None:
    """Fill in all weights: matrices at random, biases with 0, norms with 1."""
    draw = torch.Generator(device).manual_seed(_SEED)
    for name, weight in module.named_parameters():
        if weight.ndim < 2:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
            continue
        # states have a norm of about √width behind the last norm: the logits of a head like this spread by about 1
        std = 1 / math.sqrt(weight.shape[1]) if name.startswith("classifier.") else _STD
        drawn = torch.empty(weight.shape, device=device, dtype=torch.float32)
        weight.copy_(drawn.normal_(0.0, std, generator=draw))
