"""Packed layers compute what the plain ones do, and give way where they can't."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from compressors.linear import PackedLinear
from compressors.packing import pack
from tests.fakes.causal import CONFIGS, model

IDS = torch.arange(3, 60)[None]


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_a_packed_model_computes_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compressors.linear._WORTHWHILE", 0.0)
    network = model(kind, 300)
    before = network(input_ids=IDS).logits
    pack(network)
    assert any(isinstance(module, PackedLinear) for module in network.modules())
    torch.testing.assert_close(network(input_ids=IDS).logits, before, rtol=1e-3, atol=1e-3)


def test_what_is_slower_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compressors.linear._WORTHWHILE", float("inf"))
    network = model("llama", 300)
    pack(network)
    assert not any(isinstance(module, PackedLinear) for module in network.modules())


def test_half_precision_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compressors.linear._WORTHWHILE", 0.0)
    network = model("llama", 300).to(torch.bfloat16)
    pack(network)
    assert not any(isinstance(module, PackedLinear) for module in network.modules())


def test_a_model_that_looks_into_its_layers_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compressors.linear._WORTHWHILE", 0.0)

    class Curious(type(model("llama", 300))):  # type: ignore[misc]
        def forward(self, *args: Any, **options: Any) -> Any:
            assert self.lm_head.weight.dtype == torch.float32
            return super().forward(*args, **options)

    network = model("llama", 300)
    network.__class__ = Curious
    pack(network)
    assert not any(isinstance(module, PackedLinear) for module in network.modules())
