"""A training that is stopped and goes on."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from compressors.training import Figures, Record, Schedule, Stop
from compressors.training.causal import Pairs, Plan, Recipe, begin


class _Listener:
    """Asks a training to end after so many steps, as SIGTERM does."""

    def __init__(self, stop: Stop, after: int | None) -> None:
        self.validations = 0
        self._stop = stop
        self._after = after

    def preparing(self, what: str) -> None:
        """Nothing to be done."""

    def step(self, schedule: Schedule, tokens: int, loss: float) -> None:
        if schedule.steps == self._after:
            self._stop.signal = signal.SIGTERM

    def validated(self, figures: Figures, *, is_best: bool) -> None:
        self.validations += 1


def _train(encoder: Path, data: Path, out: Path, *, after: int | None = None) -> tuple[Record, _Listener]:
    stop = Stop()
    listener = _Listener(stop, after)
    plan = Plan(
        reading=Pairs(data=[(data, None)], batch_tokens=128),
        recipe=Recipe(steps=5, rate=1e-2),
        start=str(encoder),
        out=out,
        every=2,
        device="cpu",
    )
    return begin(plan, listener).carry_on(stop), listener


def _rows(path: Path) -> Path:
    rows: list[dict[str, Any]] = [{"prompt": f"what is {i}?", "answer": "a cat and a dog"} for i in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(encoder: Path, tmp_path: Path) -> None:
    data = _rows(tmp_path / "pairs.jsonl")
    through, listener = _train(encoder, data, tmp_path / "through")
    assert (through.steps, listener.validations) == (5, 4)  # before the first step and after 2, 4 and 5
    stopped, _ = _train(encoder, data, tmp_path / "stopped", after=3)
    assert stopped.steps == 3
    resumed, listener = _train(encoder, data, tmp_path / "stopped")
    assert (resumed.steps, listener.validations) == (5, 2)
    assert resumed.figures == through.figures
    assert resumed.tokens == through.tokens
    once, again = (
        load_file(tmp_path / name / "model" / "model.safetensors") for name in ("through", "stopped")
    )
    assert once.keys() == again.keys()
    assert all(torch.equal(weight, again[name]) for name, weight in once.items())
