"""Training steps of a classifier. Knows no files and no validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from compressors.batches import batches
from compressors.training import loop
from compressors.training.classifier.mixture import Draw, Mixture
from compressors.training.classifier.objective import Batch, Objective, log_odds
from compressors.training.classifier.recipe import Recipe
from compressors.training.classifier.teachers import Teachers
from compressors.training.memory import tokens_at_once
from compressors.training.precision import Precision

_AT_ONCE = 1024
"""Tokens of one forward and backward pass on a CPU; a step adds up the gradients of several."""
_PADDING = 4096
"""Tokens of padding that cost a GPU less than a pass of its own."""
_OFFSETS_RATE = 100.0
"""Times the learning rate: there are few offsets, and every word of a source speaks for one."""
_FIRST_AVERAGES = 10


class Training(loop.Training):
    """A classifier in training. The same recipe, data and number of steps give the same weights, resumed or not."""

    def __init__(
        self,
        model: Any,
        mixture: Mixture,
        rates: Sequence[float],
        recipe: Recipe,
        *,
        pad_id: int,
        teachers: Teachers | None = None,
        precision: Precision = "float32",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        device = next(model.parameters()).device
        offsets = rates if recipe.offsets else None
        self._objective = Objective(offsets, recipe.smoothing, recipe.taught).to(device)
        super().__init__(
            model,
            recipe,
            betas=(0.9, 0.98),
            precision=precision,
            clock=clock,
            others=list(self._objective.parameters()),
            others_rate=_OFFSETS_RATE,
        )
        self._recipe = recipe
        self._mixture = mixture
        self._pad_id = pad_id
        self._teachers = teachers
        self._average = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    @property
    def offsets(self) -> list[float]:
        """What was added to the log odds of each source; empty without offsets."""
        return [value for offsets in self._objective.parameters() for value in offsets.tolist()]

    def step(self) -> float:
        """Learn from one batch; gives its loss in nats per word."""
        with self.schedule:
            torch.manual_seed(self._recipe.seed * 1_000_003 + self.schedule.steps)  # dropout's
            draws = self._mixture.draw(self._recipe.batch_tokens)
            words = sum(len(example.labels) for _, example in draws)
            losses = [self._learn(part) for part in self._parts(draws)]
            self.update(words)
            self._take_average()
            loss = torch.stack(losses).sum().item()  # once: each waits for the device
        self.tokens += sum(len(example.ids) for _, example in draws)
        return loss / words

    def _parts(self, draws: Sequence[Draw]) -> Iterator[list[Draw]]:
        """Examples of similar length, as many as are computed at once."""
        budget = tokens_at_once(self.model, on_cpu=_AT_ONCE)
        padding = None if self.device.type == "cpu" else _PADDING
        for part in batches([len(example.ids) for _, example in draws], budget, padding):
            yield [draws[i] for i in part]

    def _learn(self, draws: Sequence[Draw]) -> torch.Tensor:
        batch = Batch.of(draws, self._pad_id, self.device)
        with self.computing():
            known = None if self._teachers is None else self._teachers.odds(batch)
            odds = log_odds(self.model, batch)
        loss: torch.Tensor = self._objective(odds, batch, known)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    @torch.no_grad()
    def _take_average(self) -> None:
        steps = self.schedule.steps
        first = (1 + steps) / (_FIRST_AVERAGES + steps)  # else the start would linger
        kept = min(self._recipe.average, first)
        torch._foreach_lerp_(list(self._average.values()), list(self.model.parameters()), 1.0 - kept)

    @contextmanager
    def evaluated(self) -> Iterator[Any]:
        """The model with the average of its weights; then the last ones are back."""
        self._swap()
        try:
            with super().evaluated() as model:
                yield model
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, weight in self.model.named_parameters():
            weight.data, self._average[name] = self._average[name], weight.data

    def _state(self) -> dict[str, Any]:
        return {
            "average": self._average,
            "objective": self._objective.state_dict(),
            "mixture": self._mixture.state(),
        }

    def _take(self, state: dict[str, Any]) -> None:
        for name, average in self._average.items():
            average.copy_(state["average"][name])
        self._objective.load_state_dict(state["objective"])
        self._mixture.restore(state["mixture"])
