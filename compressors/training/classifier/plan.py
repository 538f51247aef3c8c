"""What a training is asked for. Knows no model and no data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compressors.identity import fingerprint
from compressors.training import lines, plan, shares
from compressors.training.classifier.recipe import Recipe
from compressors.training.classifier.sources import Source
from compressors.training.record import Setting


@dataclass(frozen=True, kw_only=True)
class Plan(plan.Plan):
    """The training of a classifier: `recipe` for the steps, the rest for what they are done with.

    Raises `CompressionError` if two files have the same name or if shares leave nothing for the rest.
    """

    recipe: Recipe
    data: Sequence[tuple[Path, float | None]]
    """Files of rows and their shares of the training tokens; those without share what is left by size."""
    teachers: Sequence[str] = ()
    """Finished classifiers to learn from beside the labels: folders or names."""
    layers: Sequence[int] | None = None
    """Those that stay, from 0; None for all."""
    dropout: float = 0.0
    length: int | None = None
    """Most tokens of a sequence; None for what the model takes."""
    held_out_words: int = 4000
    """Of each source, in each validation."""

    def __post_init__(self) -> None:
        shares.check([lines.name_of(path) for path, _ in self.data], [share for _, share in self.data])

    def shares(self, sources: Sequence[Source]) -> list[float]:
        """Each source's share of the training tokens; they add up to 1."""
        return shares.fill([share for _, share in self.data], [source.tokens for source in sources])

    def settings(self) -> dict[str, Setting]:
        """Everything that decides what is learned but data, start and seed, by name."""
        recipe = {name: value for name, value in asdict(self.recipe).items() if name != "seed"}
        layers = None if self.layers is None else list(self.layers)
        own: dict[str, Setting] = {
            "fresh": self.fresh,
            "teachers": list(self.teachers) or None,
            "layers": layers,
            "dropout": self.dropout,
            "length": self.length,
            "every": self.interval,
            "patience": self.patience,
            "held_out_words": self.held_out_words,
        }
        return recipe | own

    def identity(self, sources: Sequence[Source]) -> dict[str, object]:
        """What may not change when a training goes on."""
        return {
            "start": self.start,
            "fresh": self.fresh,
            "teachers": [fingerprint("llmlingua2", name) for name in self.teachers],
            "layers": None if self.layers is None else list(self.layers),
            "length": self.length,
            "seed": self.recipe.seed,
            "data": [source.sha256 for source in sources],
        }
