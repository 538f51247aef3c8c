"""What a training of a causal model is asked for. Knows no model and no data; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from compressors.training.record import Setting

Given = Sequence[tuple[Path, float | None]]
"""Files and their shares of the training tokens; those without share what is left by size."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How fast a model learns, and for how long. Exactly one of `minutes` and `steps` is given."""

    minutes: float | None = None
    """Of training; pauses and validations don't count."""
    steps: int | None = None
    """Instead of minutes."""
    rate: float
    """The highest learning rate, after the warm-up; it falls to 0 along a line."""
    warm_up: float = 0.02
    """Share of the training."""
    decay: float = 0.05
    """Of the matrices' weights, as in AdamW."""
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a model learns from, and how much of it at a time."""

    data: Given
    batch_tokens: int = 4096
    """Of a step, padding left out."""


@dataclass(frozen=True, kw_only=True)
class Texts(Reading):
    """Learning to go on with texts."""

    length: int = 256
    """Tokens of a window."""
    last_length: int = 512
    """Tokens of a window at the end, so that all positions are trained."""
    last: float = 0.15
    """Share of the training that counts as the end."""
    candidates: int = 4096
    """Tokens of the vocabulary in each softmax of a BERT decoder on a CPU; 0 for all of them."""


@dataclass(frozen=True, kw_only=True)
class Pairs(Reading):
    """Learning to answer prompts."""

    length: int | None = None
    """Most tokens of a window; None for what the model takes."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training: `reading` for what is learned, `recipe` for the steps, the rest for what they are done with."""

    reading: Texts | Pairs
    recipe: Recipe
    start: str
    out: Path
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

    def settings(self) -> dict[str, Setting]:
        """Everything that decides what is learned but data, start and seed, by name."""
        named = {**asdict(self.recipe), **asdict(self.reading)}
        chosen = {name: value for name, value in named.items() if name not in ("seed", "data")}
        return {**chosen, "fresh": self.fresh, "every": self.interval, "patience": self.patience}

    def identity(self, digests: Sequence[str]) -> dict[str, object]:
        """What may not change when a training goes on; `digests` are those of the files."""
        reading = {name: value for name, value in asdict(self.reading).items() if name != "data"}
        return {
            "start": self.start,
            "fresh": self.fresh,
            "seed": self.recipe.seed,
            "data": list(digests),
            **reading,
        }
