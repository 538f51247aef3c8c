"""Training steps, the schedule and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

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
    begun.save(tmp_path / "checkpoint.pt")
    resumed.restore(tmp_path / "checkpoint.pt")
    for _ in range(2):
        resumed.step()
    assert (resumed.steps, resumed.tokens, resumed.progress) == (4, 512, through.progress)
    for name, weight in through.weights.items():
        assert torch.equal(weight, resumed.weights[name]), name


def test_the_rate_rises_then_falls_to_nothing(training: Make) -> None:
    run = training(minutes=1 / 6, warm_up=0.3)
    rates = []
    while not run.done:
        rates.append(run.rate)
        run.step()
    assert len(rates) == 10
    assert max(rates) == rates[3]
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert run.rate == 0.0


def test_windows_are_longer_at_the_end(training: Make) -> None:
    run = training(minutes=1 / 6, batch_tokens=32, last=0.3)
    lengths = []
    while not run.done:
        before = run.tokens
        run.step()
        lengths.append(run.tokens - before)
    assert lengths == [32] * 10  # one window of 32 tokens or two of 16


def test_a_pause_does_not_count(training: Make) -> None:
    readings_s = [float(second) for second in range(13)]  # at the begin and the end of each step
    run = training(clock=iter([*readings_s, 3613.0]).__next__, minutes=1.0)
    for _ in range(7):
        run.step()
    assert run.elapsed_s == 6 + 5
    assert run.progress == pytest.approx(11 / 60)


def test_other_minutes_stretch_the_rest_of_the_schedule(training: Make, tmp_path: Path) -> None:
    begun, resumed = training(minutes=0.2), training(minutes=0.4)
    for _ in range(6):
        begun.step()
    begun.save(tmp_path / "checkpoint.pt")
    resumed.restore(tmp_path / "checkpoint.pt")
    assert resumed.progress == pytest.approx(0.5)
    resumed.step()
    assert resumed.progress == pytest.approx(0.5 + 0.5 / 18)


def test_a_training_that_is_over_takes_no_time(training: Make) -> None:
    run = training(minutes=0.05)
    while not run.done:
        run.step()
    assert run.steps == 3
