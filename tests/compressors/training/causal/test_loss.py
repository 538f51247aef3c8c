"""The sampled loss against the full one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compressors.training.causal.loss import sampled_loss
from compressors.training.causal.start import load_start


@pytest.fixture(scope="module")
def model(encoder: Path, tokenizer: Any) -> Any:
    return load_start(encoder, tokenizer, np.ones(len(tokenizer))).train(False)


@pytest.fixture(scope="module")
def windows() -> torch.Tensor:
    return torch.randint(1000, 20_000, (4, 17), generator=torch.Generator().manual_seed(0))


def _full(model: Any, windows: torch.Tensor) -> torch.Tensor:
    logits = model(windows[:, :-1]).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def test_all_tokens_as_candidates_give_the_full_loss(model: Any, windows: torch.Tensor) -> None:
    whole = sampled_loss(model, windows, model.config.vocab_size, torch.Generator().manual_seed(1))
    torch.testing.assert_close(whole, _full(model, windows))


def test_few_candidates_give_the_full_loss_on_average(model: Any, windows: torch.Tensor) -> None:
    with torch.no_grad():
        drawn = [sampled_loss(model, windows, 1000, torch.Generator().manual_seed(i)) for i in range(20)]
        assert float(torch.stack(drawn).mean()) == pytest.approx(float(_full(model, windows)), abs=0.02)


def test_gradients_point_the_same_way(model: Any, windows: torch.Tensor) -> None:
    def gradient(loss: torch.Tensor) -> torch.Tensor:
        [found] = torch.autograd.grad(loss, [model.bert.encoder.layer[0].output.dense.weight])
        return found.flatten()

    sampled = gradient(sampled_loss(model, windows, 8000, torch.Generator().manual_seed(1)))
    assert torch.cosine_similarity(sampled, gradient(_full(model, windows)), dim=0) > 0.95
