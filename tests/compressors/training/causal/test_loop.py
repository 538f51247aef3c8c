"""Training steps and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compressors.errors import CompressionError
from compressors.training.causal.loop import Training

Make = Callable[..., Training]


def test_the_loss_falls(training: Make) -> None:
    run = training(rate=3e-2)
    losses = [run.step() for _ in range(12)]
    assert sum(losses[-3:]) < 0.7 * sum(losses[:3])


def test_a_resumed_training_ends_with_the_same_weights(training: Make, tmp_path: Path) -> None:
    through, begun, resumed = training(), training(), training()
    for _ in range(4):
        through.step()
    for _ in range(2):
        begun.step()
    begun.save(tmp_path / "checkpoint.pt", more=1)
    assert resumed.restore(tmp_path / "checkpoint.pt")["more"] == 1
    for _ in range(2):
        resumed.step()
    assert (resumed.schedule.steps, resumed.tokens) == (4, 512)
    assert resumed.schedule.progress == through.schedule.progress
    for name, weight in through.model.named_parameters():
        assert torch.equal(weight, resumed.model.get_parameter(name)), name


def test_a_step_in_parts_is_the_same_step(training: Make) -> None:
    whole, parts = training(rate=1e-2), training(rate=1e-2, tokens_at_once=32)
    for run in (whole, parts):
        run._loss = lambda model, batch, _: torch.nn.functional.cross_entropy(
            model(batch.inputs).logits.flatten(0, 1), batch.targets.flatten(), reduction="sum"
        )
    assert whole.step() == pytest.approx(parts.step(), rel=1e-5)
    for name, weight in whole.model.named_parameters():
        torch.testing.assert_close(weight, parts.model.get_parameter(name), atol=1e-4, rtol=1e-3)


def test_the_checkpoint_of_another_model_is_refused(training: Make, tmp_path: Path) -> None:
    torch.save({"weights": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(CompressionError, match="is of another training"):
        training().restore(tmp_path / "checkpoint.pt")


def test_mixed_precision_learns_the_same(training: Make) -> None:
    exact, mixed = training(rate=1e-2), training(rate=1e-2)
    mixed._precision = "bfloat16"
    assert [mixed.step() for _ in range(3)] == pytest.approx([exact.step() for _ in range(3)], rel=0.02)
    assert all(weight.dtype == torch.float32 for weight in mixed.model.parameters())
