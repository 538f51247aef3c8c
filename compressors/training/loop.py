"""What the steps of all trainings share, and their checkpoints. Knows no data, no loss and no validation."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from compressors.errors import CompressionError
from compressors.training.plan import Recipe
from compressors.training.precision import Precision
from compressors.training.schedule import Schedule

_LONGEST_GRADIENT = 1.0
_ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""All but cuDNN's, which plans anew for each shape of a batch: some 0.2 s on an H100."""


class Training(ABC):
    """A model in training; a step is for those who know what is learned."""

    def __init__(
        self,
        model: Any,
        recipe: Recipe,
        *,
        betas: tuple[float, float],
        precision: Precision,
        clock: Callable[[], float] = time.monotonic,
        others: Sequence[torch.nn.Parameter] = (),
        others_rate: float = 1.0,
    ) -> None:
        """`others` learn beside the model's weights, at so many times their rate. `betas` are AdamW's."""
        self.schedule = Schedule(
            warm_up=recipe.warm_up, steps=recipe.steps, minutes=recipe.minutes, clock=clock
        )
        self.tokens = 0
        self.model = model.train()
        self.device: torch.device = next(model.parameters()).device
        self._rate = recipe.rate
        self._precision = precision
        weights = list(model.parameters())
        groups = [
            {"params": [p for p in weights if p.dim() > 1], "weight_decay": recipe.decay, "times": 1.0},
            {"params": [p for p in weights if p.dim() <= 1], "weight_decay": 0.0, "times": 1.0},
            {"params": list(others), "weight_decay": 0.0, "times": others_rate},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=betas, fused=True)

    @abstractmethod
    def step(self) -> float:
        """Learn from one batch; gives its loss in nats per word or token."""

    @contextmanager
    def evaluated(self) -> Iterator[Any]:
        """The model as it is to be evaluated or saved; then it goes on learning."""
        self.model.eval()
        try:
            yield self.model
        finally:
            self.model.train()

    @contextmanager
    def computing(self) -> Iterator[None]:
        """A context for forward passes: products have the training's precision."""
        is_mixed = self._precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=is_mixed), sdpa_kernel(_ATTENTION):
            yield

    def update(self, units: int) -> None:
        """Make a step of gradients that were summed over so many words or tokens."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * group["times"] * self.schedule.factor
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.grad /= units
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _LONGEST_GRADIENT)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def save(self, path: Path, **more: Any) -> None:
        """Write a checkpoint, whole or not at all, with `more` beside it."""
        state = {
            "weights": dict(self.model.named_parameters()),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self.schedule.state(),
            "tokens": self.tokens,
            **self._state(),
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
            self._take(state)
        except (KeyError, ValueError, RuntimeError) as error:
            raise CompressionError(f"{path} is of another training: {error}") from error
        self.schedule.restore(state["schedule"])
        self.tokens = state["tokens"]
        return state

    def _state(self) -> dict[str, Any]:
        """What else a checkpoint has to hold."""
        return {}

    def _take(self, state: dict[str, Any]) -> None:  # noqa: B027 (most have nothing else)
        """Go on from what `_state` gave."""
