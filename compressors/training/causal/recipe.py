"""What a training of a causal model is asked for. Knows no model and no data; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compressors.training import plan
from compressors.training.record import Setting

Given = Sequence[tuple[Path, float | None]]
"""Files and their shares of the training tokens; those without share what is left by size."""


@dataclass(frozen=True, kw_only=True)
class Recipe(plan.Recipe):
    """How a causal model is trained."""

    warm_up: float = 0.02
    decay: float = 0.05


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
class Plan(plan.Plan):
    """The training of a causal model: `reading` for what is learned, `recipe` for the steps."""

    recipe: Recipe
    reading: Texts | Pairs

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
