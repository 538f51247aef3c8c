"""Training steps and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compressors.errors import CompressionError
from compressors.training import loop as all_loops
from compressors.training.classifier import loop
from compressors.training.classifier.loop import Training

Make = Callable[..., Training]


def _weights(training: Training) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in training.model.named_parameters()}


def _same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("length", [{"steps": 8}, {"minutes": 1.0}])
def test_a_resumed_training_ends_with_the_same_weights(
    training: Make, tmp_path: Path, length: dict[str, float]
) -> None:
    through, begun, resumed = (
        training(**{"steps": None, **length}, dropout=0.2, clock=_clock()) for _ in range(3)
    )
    for _ in range(6):
        through.step()
    for _ in range(3):
        begun.step()
    begun.save(tmp_path / "checkpoint.pt", more=5)
    assert resumed.restore(tmp_path / "checkpoint.pt")["more"] == 5
    for _ in range(3):
        resumed.step()
    assert _same(_weights(through), _weights(resumed))
    assert through.offsets == resumed.offsets
    assert through.tokens == resumed.tokens
    with through.evaluated(), resumed.evaluated():
        assert _same(_weights(through), _weights(resumed))


def _clock() -> Callable[[], float]:
    seconds = iter(range(100))
    return lambda: float(next(seconds))


def test_the_seed_decides(training: Make) -> None:
    runs = [training(dropout=0.2, seed=seed) for seed in (1, 1, 2)]
    for run in runs:
        for _ in range(2):
            run.step()
    one, same, other = map(_weights, runs)
    assert _same(one, same)
    assert not _same(one, other)


def test_the_loss_falls(training: Make) -> None:
    run = training()
    losses = [run.step() for _ in range(20)]
    assert sum(losses[-3:]) < 0.5 * sum(losses[:3])
    assert run.schedule.done


def test_how_much_is_computed_at_once_changes_nothing(
    training: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = training()
    together.step()
    monkeypatch.setattr(loop, "_AT_ONCE", 1)  # each example on its own
    apart = training()
    apart.step()
    for name, weight in _weights(together).items():
        assert torch.allclose(weight, _weights(apart)[name], atol=1e-4), name


def test_long_gradients_are_clipped_before_the_step(training: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    for longest in (1e-3, 1e9):
        monkeypatch.setattr(all_loops, "_LONGEST_GRADIENT", longest)
        run = training()
        run._optimizer.register_step_pre_hook(lambda *_, run=run: lengths.append(_length(run)))
        run.step()
    assert lengths[0] == pytest.approx(1e-3, rel=1e-3)
    assert lengths[1] > 1e-2


def _length(training: Training) -> float:
    gradients = [weight.grad for weight in training.model.parameters() if weight.grad is not None]
    return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def test_the_average_lies_between_the_steps(training: Make) -> None:
    run, last = training(average=0.9), training(average=0.0)
    for _ in range(5):
        run.step()
        last.step()
    after = _weights(run)
    with run.evaluated() as model:
        assert not model.training
        assert not _same(after, _weights(run))
    assert run.model.training
    assert _same(after, _weights(run))
    with last.evaluated():
        assert _same(after, _weights(last))


def test_without_offsets_there_are_none(training: Make) -> None:
    assert len(training().offsets) == 2
    assert training(offsets=False).offsets == []


def test_a_checkpoint_of_another_model_is_refused(training: Make, tmp_path: Path) -> None:
    training().save(tmp_path / "checkpoint.pt")
    with pytest.raises(CompressionError, match="is of another training"):
        training(offsets=False).restore(tmp_path / "checkpoint.pt")


def test_half_precision_learns_too(training: Make) -> None:
    run = training(precision="bfloat16", steps=8)
    losses = [run.step() for _ in range(8)]
    assert losses[-1] < 0.7 * losses[0]
    assert all(weight.dtype == torch.float32 for weight in run.model.parameters())
