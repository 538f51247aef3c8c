"""How much of a step is computed at once. Knows a model's form and a device's memory, no data."""

from __future__ import annotations

from typing import Any

import torch

_SHARE = 0.5
_STATE_BYTES = 60
"""Of a token in one layer by hidden size: what a backward pass needs, by count (Korthikanti et al. 2022, eq. 4), and
what mixed precision holds in float32 beside it."""
_LOGIT_BYTES = 12
_MOST, _LEAST = 65_536, 1024


def tokens_at_once(model: Any, *, on_cpu: int, logits: bool = False) -> int:
    """Tokens of one forward and backward pass: `on_cpu`, as small ones stay in the cache, or what a GPU has room for.

    `logits` says whether each token has one for every token of the vocabulary. The same on the same device, whatever
    else takes room there.
    """
    if model.device.type != "cuda":
        return on_cpu
    config = model.config
    token_bytes: int = _STATE_BYTES * config.hidden_size * config.num_hidden_layers
    if logits:
        token_bytes += _LOGIT_BYTES * config.vocab_size
    memory = torch.cuda.get_device_properties(model.device).total_memory
    return min(max(int(_SHARE * memory) // token_bytes, _LEAST), _MOST)
