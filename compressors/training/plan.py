"""What every training is asked for. Knows no model and no data; imports nothing heavy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compressors.training.record import Setting


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How fast a model learns, and for how long. Exactly one of `minutes` and `steps` is given."""

    minutes: float | None = None
    """Of training; pauses and validations don't count."""
    steps: int | None = None
    """Instead of minutes."""
    rate: float
    """The highest learning rate, after the warm-up; it falls to 0 along a line."""
    warm_up: float
    """Share of the training."""
    decay: float
    """Of the matrices' weights, as in AdamW."""
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Plan(ABC):
    """A training: what it begins with, where it goes, and how it is watched."""

    start: str
    out: Path
    recipe: Recipe
    command: str = ""
    fresh: bool = False
    """Whether all weights are drawn anew."""
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    every: float | None = None
    """Minutes or steps, as the recipe counts, between validations; None for a twentieth of all."""
    patience: int | None = None
    """Validations without gain after which to end; None for no such end."""

    @property
    def interval(self) -> float:
        """Minutes or steps between validations."""
        total = self.recipe.minutes if self.recipe.steps is None else self.recipe.steps
        assert total is not None
        return total / 20 if self.every is None else self.every

    @abstractmethod
    def settings(self) -> dict[str, Setting]:
        """Everything that decides what is learned but data, start and seed, by name."""
