"""Attention in steps, in transformers' models: the same logits as by torch's kernel."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedConfig,
)

from compressors import causal_attention

_BODY: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
}
_ENDS: dict[str, Any] = {"vocab_size": 100, "bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
CONFIGS: dict[str, PreTrainedConfig] = {
    "gpt2": GPT2Config(n_layer=2, n_embd=64, n_head=4, **_ENDS),
    "llama, heads in groups": LlamaConfig(num_key_value_heads=2, **_BODY, **_ENDS),
    "mistral, a window that slides": MistralConfig(
        num_key_value_heads=4, sliding_window=48, **_BODY, **_ENDS
    ),
}


@pytest.fixture(params=CONFIGS)
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    made: Any = AutoModelForCausalLM.from_config(CONFIGS[request.param])  # type: ignore[no-untyped-call]
    return made.eval()


@torch.inference_mode()
def _logits(model: Any) -> list[torch.Tensor]:
    """Of whole sequences, of short ones, of padded ones, and of what comes behind a past."""
    ids = torch.randint(0, 100, (3, 211), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 150:] = 0
    whole = model(ids, use_cache=False).logits
    padded = model(ids, attention_mask=mask, use_cache=False).logits[mask.bool()]
    first = model(ids[:, :70], use_cache=True)
    name = "cache" if "cache" in first else "past_key_values"
    behind = model(ids[:, 70:], use_cache=True, **{name: first[name]}).logits
    return [whole, padded, first.logits, behind, model(ids[:, :9], use_cache=False).logits]


def test_logits_are_the_same(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causal_attention, "_BLOCK_BYTES", 1 << 18)  # several blocks
    usual = _logits(model)
    calls = 0

    def product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return torch.bmm(left, right)

    give_back = causal_attention.install(model, product)
    assert give_back is not None
    for one, other in zip(usual, _logits(model), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert calls > 2 * 2 * 4  # layers, products, inputs that are long enough, and some in blocks
    give_back()
    before = calls
    _logits(model)
    assert calls == before


def test_a_model_that_attends_otherwise_is_left_alone() -> None:
    config = LlamaConfig(**_BODY, **_ENDS)
    model: Any = AutoModelForCausalLM.from_config(config, attn_implementation="eager")  # type: ignore[no-untyped-call]
    assert causal_attention.install(model, torch.bmm) is None
    assert model.config._attn_implementation == "eager"
