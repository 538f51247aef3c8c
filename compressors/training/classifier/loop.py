"""Training steps of a classifier and their checkpoints. Knows no files but its checkpoint's, and no validation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from compressors.batches import batches
from compressors.errors import CompressionError
from compressors.training.classifier.mixture import Draw, Mixture
from compressors.training.classifier.objective import Batch, Objective
from compressors.training.classifier.recipe import Recipe
from compressors.training.precision import Precision
from compressors.training.schedule import Schedule

_AT_ONCE = {"cpu": 1024, "cuda": 16384}
"""Tokens of one forward and backward pass; a step adds up the gradients of several."""
_OFFSETS_RATE = 100.0
"""Times the learning rate: there are few offsets, and every word of a source speaks for one."""
_LONGEST_GRADIENT = 1.0
_FIRST_AVERAGES = 10


class Training:
    """A classifier in training. The same recipe, data and number of steps give the same weights, resumed or not."""

    def __init__(
        self,
        model: Any,
        mixture: Mixture,
        rates: Sequence[float],
        recipe: Recipe,
        *,
        pad_id: int,
        precision: Precision = "float32",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recipe = recipe
        self.schedule = Schedule(
            warm_up=recipe.warm_up, steps=recipe.steps, minutes=recipe.minutes, clock=clock
        )
        self.mixture = mixture
        self.tokens = 0
        self.model = model.train()
        self.device: torch.device = next(model.parameters()).device
        self._objective = Objective(rates if recipe.offsets else None, recipe.smoothing).to(self.device)
        self._pad_id = pad_id
        self._precision = precision
        self._average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        weights = list(model.parameters())
        groups = [
            {"params": [p for p in weights if p.dim() > 1], "weight_decay": recipe.decay, "times": 1.0},
            {"params": [p for p in weights if p.dim() <= 1], "weight_decay": 0.0, "times": 1.0},
            {"params": list(self._objective.parameters()), "weight_decay": 0.0, "times": _OFFSETS_RATE},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)

    @property
    def offsets(self) -> list[float]:
        """What was added to the log odds of each source; empty without offsets."""
        return [value for offsets in self._objective.parameters() for value in offsets.tolist()]

    def step(self) -> float:
        """Learn from one batch; gives its loss in nats per word."""
        with self.schedule:
            torch.manual_seed(self.recipe.seed * 1_000_003 + self.schedule.steps)  # dropout's
            draws = self.mixture.draw(self.recipe.batch_tokens)
            words = sum(len(example.labels) for _, example in draws)
            loss = sum(self._learn(part) for part in self._parts(draws))
            self._update(words)
        self.tokens += sum(len(example.ids) for _, example in draws)
        return loss / words

    def _parts(self, draws: Sequence[Draw]) -> Iterator[list[Draw]]:
        """Examples of similar length, as many as are computed at once."""
        budget = _AT_ONCE.get(self.device.type, _AT_ONCE["cpu"])
        for part in batches([len(example.ids) for _, example in draws], budget):
            yield [draws[i] for i in part]

    def _learn(self, draws: Sequence[Draw]) -> float:
        batch = Batch.of(draws, self._pad_id, self.device)
        mixed = self._precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            logits = self.model(input_ids=batch.ids, attention_mask=batch.mask).logits  # (B, L, 2)
        loss: torch.Tensor = self._objective(logits, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _update(self, words: int) -> None:
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        for weight in weights:
            if weight.grad is not None:
                weight.grad /= words
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _LONGEST_GRADIENT)
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.rate * group["times"] * self.schedule.factor
        self._optimizer.step()
        self._optimizer.zero_grad()
        steps = self.schedule.steps
        kept = min(
            self.recipe.average, (1 + steps) / (_FIRST_AVERAGES + steps)
        )  # else the start would linger
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.values()), list(self.model.parameters()), 1.0 - kept)

    @contextmanager
    def averaged(self) -> Iterator[Any]:
        """The model with the average of its weights, to evaluate or save; then the last ones are back."""
        self._swap()
        self.model.eval()
        try:
            yield self.model
        finally:
            self._swap()
            self.model.train()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, weight in self.model.named_parameters():
            weight.data, self._average[name] = self._average[name], weight.data

    def save(self, path: Path, **more: Any) -> None:
        """Write a checkpoint, whole or not at all, with `more` beside it."""
        state = {
            "weights": dict(self.model.named_parameters()),
            "average": self._average,
            "objective": self._objective.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self.schedule.state(),
            "mixture": self.mixture.state(),
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
                self._average[name].copy_(state["average"][name])
            self._objective.load_state_dict(state["objective"])
            self._optimizer.load_state_dict(state["optimizer"])
            self.mixture.restore(state["mixture"])
        except (KeyError, ValueError, RuntimeError) as error:
            raise CompressionError(f"{path} is of another training: {error}") from error
        self.schedule.restore(state["schedule"])
        self.tokens = state["tokens"]
        return state
