"""Training steps of a causal model. Knows no files and no validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from compressors.training import loop
from compressors.training.causal.loss import Batch, Loss
from compressors.training.causal.recipe import Recipe
from compressors.training.precision import Precision

Batches = Callable[[int, float], Sequence[Batch]]
"""What a step learns from, given its number and the progress of the schedule; the same for the same two."""


class Training(loop.Training):
    """A causal model in training.

    The same recipe, batches and number of steps give the same weights, resumed or not.
    """

    def __init__(
        self,
        model: Any,
        batches: Batches,
        loss: Loss,
        recipe: Recipe,
        *,
        precision: Precision = "float32",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(model, recipe, betas=(0.9, 0.95), precision=precision, clock=clock)
        self._seed = recipe.seed
        self._batches = batches
        self._loss = loss

    def step(self) -> float:
        """Learn from one batch; gives its loss in nats per token."""
        with self.schedule:
            seed = self._seed + self.schedule.steps
            chance = torch.Generator().manual_seed(seed)
            torch.manual_seed(seed)  # dropout's
            batches = self._batches(self.schedule.steps, self.schedule.progress)
            tokens = sum(batch.tokens for batch in batches)
            losses = [self._learn(batch, chance) for batch in batches]
            self.update(tokens)
            loss = torch.stack(losses).sum().item()  # once: each waits for the device
        self.tokens += tokens
        return loss / tokens

    def _learn(self, batch: Batch, chance: torch.Generator) -> torch.Tensor:
        with self.computing():
            loss = self._loss(self.model, batch.to(self.device), chance)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()
