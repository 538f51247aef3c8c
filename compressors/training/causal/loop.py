"""Training steps, the schedule over time, and checkpoints. Knows no files but its checkpoint's.

The weights are kept twice: in bfloat16 to compute with and in float32 to add small steps to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import BertLMHeadModel

from compressors.training.causal.loss import sampled_loss
from compressors.training.causal.windows import Mixture

_PAUSE = 5.0
"""A step that takes so many times the usual time was interrupted; the rest doesn't count."""
_RECENT = 20


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is learned, but the data."""

    minutes: float
    """Of training; pauses and evaluations don't count."""
    rate: float = 5e-4
    """The highest learning rate, after the warm-up; it falls to 0 along a line."""
    warm_up: float = 0.02
    """Share of the time."""
    decay: float = 0.05
    """Of the matrices' weights, as in AdamW."""
    batch_tokens: int = 4096
    length: int = 256
    last_length: int = 512
    """Tokens of a window at the end, so that all positions are trained."""
    last: float = 0.15
    """Share of the time that counts as the end."""
    candidates: int = 4096
    """Tokens of the vocabulary in each step's softmax."""
    seed: int = 1


class Training:
    """A model in training. The same recipe, mixture and step times give the same weights, resumed or not."""

    def __init__(
        self,
        model: BertLMHeadModel,
        mixture: Mixture,
        recipe: Recipe,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recipe = recipe
        self.steps = 0
        self.tokens = 0
        self.progress = 0.0
        """Of the schedule, 0 to 1."""
        self.elapsed_s = 0.0
        self._master = {name: p.detach().clone() for name, p in model.named_parameters()}
        self._model = model.bfloat16().train()
        self._model.set_attn_implementation("eager")  # on a CPU a step takes a fifth less time so
        self._mixture = mixture
        self._clock = clock
        self._recent_s: list[float] = []
        matrices = [p for p in self._master.values() if p.dim() > 1]
        others = [p for p in self._master.values() if p.dim() == 1]
        groups = [{"params": matrices, "weight_decay": recipe.decay}, {"params": others, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.95), fused=True)

    @property
    def done(self) -> bool:
        return self.progress >= 1.0

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """By name, float32; tied weights once."""
        return self._master

    @property
    def rate(self) -> float:
        """The learning rate at this point of the schedule."""
        recipe, progress = self.recipe, self.progress
        if progress < recipe.warm_up:
            return recipe.rate * (progress + 1e-3) / (recipe.warm_up + 1e-3)
        return recipe.rate * (1.0 - progress) / (1.0 - recipe.warm_up)

    def step(self) -> float:
        """Learn from one batch; gives its loss in nats per token."""
        begin = self._clock()
        recipe = self.recipe
        length = recipe.length if self.progress < 1.0 - recipe.last else recipe.last_length
        windows = self._mixture.batch(self.steps, rows=max(1, recipe.batch_tokens // length), length=length)
        chance = torch.Generator().manual_seed(recipe.seed + self.steps)
        loss = sampled_loss(self._model, windows, recipe.candidates, chance)
        loss.backward()  # type: ignore[no-untyped-call]
        self._update()
        self.steps += 1
        self.tokens += windows[:, 1:].numel()
        self._advance(self._clock() - begin)
        return loss.item()

    def _update(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate
        parameters = dict(self._model.named_parameters())
        for name, master in self._master.items():
            gradient = parameters[name].grad
            master.grad = None if gradient is None else gradient.float()
        torch.nn.utils.clip_grad_norm_(self._master.values(), 1.0)
        self._optimizer.step()
        with torch.no_grad():
            for name, master in self._master.items():
                parameters[name].copy_(master)
                parameters[name].grad = None

    def _advance(self, took_s: float) -> None:
        self._recent_s = [*self._recent_s[1 - _RECENT :], took_s]
        took_s = min(took_s, _PAUSE * median(self._recent_s))
        left_s = 60.0 * self.recipe.minutes - self.elapsed_s
        self.elapsed_s += took_s
        self.progress = 1.0 if took_s >= left_s else self.progress + (1.0 - self.progress) * took_s / left_s

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        state = {
            "weights": self._master,
            "optimizer": self._optimizer.state_dict(),
            "recent_s": self._recent_s,
            **{name: getattr(self, name) for name in ("steps", "tokens", "progress", "elapsed_s")},
        }
        torch.save(state, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint. A recipe with other minutes stretches what is left of the schedule."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self._optimizer.load_state_dict(state["optimizer"])
        parameters = dict(self._model.named_parameters())
        with torch.no_grad():
            for name, weight in state["weights"].items():
                self._master[name].copy_(weight)
                parameters[name].copy_(weight)
        self._recent_s = state["recent_s"]
        for name in ("steps", "tokens", "progress", "elapsed_s"):
            setattr(self, name, state[name])
