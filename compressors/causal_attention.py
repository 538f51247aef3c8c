"""Attention of transformers' causal models on a CPU, in steps that oneDNN multiplies. Knows no models and no tokens.

B: sequences in a batch, H: heads, G: heads of keys and values, L: tokens that ask, K: tokens that are looked at,
D: size of a head, R: rows of a block of the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from compressors.attention import STEP
from compressors.products import Product

NAME = "laconic"
"""What transformers knows it by."""
_BLOCK_BYTES = 1 << 24
"""Most scores held at a time; more would leave a processor's cache."""
_SHORT = 32
"""Fewer tokens that ask are left to torch's fused kernel."""

_HIDDEN = -1e30
"""Added to scores of what isn't looked at; finite, so that a row which may look at nothing stays a number."""

Attend = Callable[..., tuple[torch.Tensor, None]]


def install(model: Any, product: Product) -> Callable[[], None] | None:
    """Let a float32 `model` on a CPU attend so, with `product`; gives what undoes it, or None if it can't."""
    usual = getattr(model.config, "_attn_implementation", None)
    if usual != "sdpa":
        return None
    AttentionInterface.register(NAME, _attention(product))
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return lambda: model.set_attn_implementation(usual)


def _attention(product: Product) -> Attend:
    def attend(
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        scaling: float | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, None]:
        """What `sdpa_attention_forward` of transformers computes; `query` is `(B, H, L, D)`, the others have K and G.

        Gives `(B, L, H, D)` and no weights.
        """
        if not _is_plain(module, query, key, attention_mask, options):
            fused = sdpa_attention_forward(
                module, query, key, value, attention_mask, scaling=scaling, **options
            )
            return fused[0], None
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = (part.repeat_interleave(groups, 1) for part in (key, value))
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        mixed = _mixed(product, query * scale, key, value, attention_mask)
        return mixed.transpose(1, 2).contiguous(), None

    return attend


def _is_plain(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    options: dict[str, Any],
) -> bool:
    """Whether `_mixed` computes it, and faster than torch."""
    if query.dtype != torch.float32 or query.shape[2] < _SHORT or options.get("dropout"):
        return False
    if options.get("position_bias") is not None or options.get("softcap") is not None:
        return False
    if mask is not None:
        return mask.dtype == torch.bool and mask.shape[-2:] == (query.shape[2], key.shape[2])
    causal = options.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    return bool(causal) and query.shape[2] == key.shape[2]


def _mixed(
    product: Product,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
) -> torch.Tensor:
    """softmax(QK^T) V in blocks of rows, `(B, H, L, D)`; without a mask, tokens look at none behind them."""
    (batch, heads, length, size), looked_at = query.shape, key.shape[2]
    spare = -looked_at % STEP
    key, value = (
        functional.pad(part, (0, 0, 0, spare)).flatten(0, 1) for part in (key, value)
    )  # (BH, K', D)
    query = functional.pad(query, (0, 0, 0, -length % STEP)).flatten(0, 1)  # (BH, L', D)
    mixed = query.new_empty(batch * heads, query.shape[1], size)
    rows = max(STEP, _BLOCK_BYTES // (4 * batch * heads * key.shape[1]) // STEP * STEP)
    for start in range(0, query.shape[1], rows):
        stop = min(start + rows, query.shape[1])
        reach = key.shape[1] if mask is not None else stop  # K' = L' without a mask
        scores = product(query[:, start:stop], key[:, :reach].transpose(1, 2))  # (BH, R, reach)
        if mask is None:
            scores[..., start:] += torch.full((stop - start, reach - start), -torch.inf).triu_(1)
        else:
            shown = scores.view(batch, heads, stop - start, reach)[
                ..., : min(stop, length) - start, :looked_at
            ]
            shown += torch.zeros(()).where(mask[..., start:stop, :], _HIDDEN)
            scores[..., looked_at:] = -torch.inf
        torch.softmax(scores, -1, out=scores)
        mixed[:, start:stop] = product(scores, value[:, :reach])
    return mixed[:, :length].view(batch, heads, length, size)
