"""Training steps of a causal model and their checkpoints. Knows no files but its checkpoint's, and no validation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from compressors.errors import CompressionError
from compressors.training.causal.loss import Batch, Loss
from compressors.training.causal.recipe import Recipe
from compressors.training.precision import Precision
from compressors.training.schedule import Schedule

_LONGEST_GRADIENT = 1.0

Batches = Callable[[int, float], Sequence[Batch]]
"""What a step learns from, given its number and the progress of the schedule; the same for the same two."""


class Training:
    """A model in training. The same recipe, batches and number of steps give the same weights, resumed or not."""

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
        self.recipe = recipe
        self.schedule = Schedule(
            warm_up=recipe.warm_up, steps=recipe.steps, minutes=recipe.minutes, clock=clock
        )
        self.tokens = 0
        self.model = model.train()
        self.device: torch.device = next(model.parameters()).device
        self._batches = batches
        self._loss = loss
        self._precision = precision
        weights = list(model.parameters())
        groups = [
            {"params": [p for p in weights if p.dim() > 1], "weight_decay": recipe.decay},
            {"params": [p for p in weights if p.dim() <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.95), fused=True)

    def step(self) -> float:
        """Learn from one batch; gives its loss in nats per token."""
        with self.schedule:
            chance = torch.Generator().manual_seed(self.recipe.seed + self.schedule.steps)
            torch.manual_seed(self.recipe.seed + self.schedule.steps)  # dropout's
            batches = self._batches(self.schedule.steps, self.schedule.progress)
            tokens = sum(batch.tokens for batch in batches)
            loss = sum(self._learn(batch, chance) for batch in batches)
            self._update(tokens)
        self.tokens += tokens
        return loss / tokens

    def _learn(self, batch: Batch, chance: torch.Generator) -> float:
        mixed = self._precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            loss = self._loss(self.model, batch.to(self.device), chance)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _update(self, tokens: int) -> None:
        for weight in self.model.parameters():
            if weight.grad is not None:
                weight.grad /= tokens
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _LONGEST_GRADIENT)
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.rate * self.schedule.factor
        self._optimizer.step()
        self._optimizer.zero_grad()

    def save(self, path: Path, **more: Any) -> None:
        """Write a checkpoint, whole or not at all, with `more` beside it."""
        state = {
            "weights": dict(self.model.named_parameters()),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self.schedule.state(),
            "tokens": self.tokens,
            **more,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)

    @torch.no_grad()
    def restore(self, path: Path) -> dict[str, Any]:
        """Go on from a checkpoint; gives all that is in it. Raises `CompressionError` if it is another training's."""
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        try:
            for name, weight in self.model.named_parameters():
                weight.copy_(state["weights"][name])
            self._optimizer.load_state_dict(state["optimizer"])
        except (KeyError, ValueError, RuntimeError) as error:
            raise CompressionError(f"{path} is of another training: {error}") from error
        self.schedule.restore(state["schedule"])
        self.tokens = state["tokens"]
        return state
