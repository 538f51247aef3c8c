"""The sampled loss against the full one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from compressors.training.causal.loss import IGNORED, Batch, choose_loss, full_loss, sampled_loss
from compressors.training.causal.start import Start


@pytest.fixture
def model(start: Start) -> Any:
    return start.model.train(False)


@pytest.fixture(scope="module")
def batch() -> Batch:
    windows = torch.randint(1000, 20_000, (4, 17), generator=torch.Generator().manual_seed(0))
    targets = windows[:, 1:].clone()
    targets[0, :5] = IGNORED
    return Batch(windows[:, :-1], targets)


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_full_loss_is_a_sum_over_what_is_learned(model: Any, batch: Batch) -> None:
    assert batch.tokens == 59
    logits = model(batch.inputs).logits
    mean = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
    torch.testing.assert_close(full_loss(model, batch), 59 * mean)


def test_all_tokens_as_candidates_give_the_full_loss(model: Any, batch: Batch) -> None:
    whole = sampled_loss(model, batch, _chance(1), candidates=model.config.vocab_size)
    torch.testing.assert_close(whole, full_loss(model, batch))


def test_few_candidates_give_the_full_loss_on_average(model: Any, batch: Batch) -> None:
    with torch.no_grad():
        drawn = [sampled_loss(model, batch, _chance(i), candidates=1000) for i in range(20)]
        assert float(torch.stack(drawn).mean()) / 59 == pytest.approx(
            float(full_loss(model, batch)) / 59, abs=0.02
        )


def test_gradients_point_the_same_way(model: Any, batch: Batch) -> None:
    def gradient(loss: torch.Tensor) -> torch.Tensor:
        [found] = torch.autograd.grad(loss, [model.bert.encoder.layer[0].output.dense.weight])
        return found.flatten()

    sampled = gradient(sampled_loss(model, batch, _chance(1), candidates=8000))
    assert torch.cosine_similarity(sampled, gradient(full_loss(model, batch)), dim=0) > 0.95


def test_candidates_are_for_a_bert_and_fewer_than_the_vocabulary(model: Any) -> None:
    assert choose_loss(model, 0) is full_loss
    assert choose_loss(model, model.config.vocab_size) is full_loss
    assert choose_loss(model, 1000) is not full_loss
