"""How much a model computes for a text. Knows configurations, but no weights and no texts.

L: tokens of a sequence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForTokenClassification

from compressors.checkpoint import ON_CUDA, choose_device
from compressors.identity import folder_of
from compressors.shapes import config_of, is_shape, task_of

_LONGEST_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What there is to compute in a model."""

    parameters: int
    multiplied: int
    """Those that every token is multiplied with: all but embeddings, the output's included."""
    layers: int
    width: int
    """Numbers in the queries of one token, over all heads."""
    causal: bool
    """Tokens look at earlier ones only, half of all pairs."""
    window: int
    """Tokens of one sequence; longer texts are read in several."""

    def flops(self, lengths: Iterable[int]) -> float:
        """Operations of one pass over texts of so many tokens: two for each parameter and token, four for each
        pair of tokens, layer and width (Kaplan et al. 2020, section 2.1, with attention's second product)."""
        total = 0.0
        pair = 4 * self.layers * self.width * (0.5 if self.causal else 1.0)
        for length in lengths:
            whole, rest = divmod(length, self.window)
            total += 2 * self.multiplied * length + pair * (whole * self.window**2 + rest**2)
        return total


def arithmetic(method: str, model: str = "embedded") -> Arithmetic:
    """That of `model` as `compressors.load` takes it, from its configuration alone."""
    source = "" if is_shape(model) else str(folder_of(method, model) or model)
    config = AutoConfig.from_pretrained(source) if source else config_of(model)
    causal = method != "llmlingua2"
    classes: Any = AutoModelForCausalLM if causal else AutoModelForTokenClassification
    with torch.device("meta"):
        made = classes.from_config(config)
    weights = {id(weight): weight.numel() for weight in made.parameters()}
    looked_up = {id(part.weight) for part in made.modules() if isinstance(part, torch.nn.Embedding)}
    head = made.get_output_embeddings() if causal else None
    if head is not None:
        looked_up.add(id(head.weight))
    text = config.get_text_config()
    heads = int(text.num_attention_heads)
    size = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    positions = int(getattr(text, "max_position_embeddings", None) or _LONGEST_WINDOW)
    return Arithmetic(
        parameters=sum(weights.values()),
        multiplied=sum(count for key, count in weights.items() if key not in looked_up),
        layers=int(text.num_hidden_layers),
        width=heads * size,
        causal=causal,
        window=min(positions, _LONGEST_WINDOW if causal else 512),
    )


def usual_method(model: str) -> str:
    """`longllmlingua` for a causal shape, else `llmlingua2`; raises `CompressionError` for an unknown shape."""
    return "longllmlingua" if is_shape(model) and task_of(model) == "causal" else "llmlingua2"


def usual_dtype(method: str, device: str = "auto") -> str:
    """What `compressors.load` takes on `device` where no dtype is given."""
    if choose_device(device).type != "cuda":
        return "float32"
    return ON_CUDA["classifier" if method == "llmlingua2" else "causal"]
