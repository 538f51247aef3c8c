"""What a training is asked for. Knows no model and no data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from compressors.errors import CompressionError
from compressors.training.classifier.recipe import Recipe
from compressors.training.classifier.sources import Source, name_of

Setting = bool | int | float | str | list[int] | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training: `recipe` for the steps, the rest for what they are done with.

    Raises `CompressionError` if two files have the same name or if shares leave nothing for the rest.
    """

    data: Sequence[tuple[Path, float | None]]
    """Files of rows and their shares of the training tokens; those without share what is left by size."""
    start: str
    out: Path
    recipe: Recipe
    command: str = ""
    fresh: bool = False
    """Whether all weights are drawn anew."""
    layers: Sequence[int] | None = None
    """Those that stay, from 0; None for all."""
    dropout: float = 0.0
    length: int | None = None
    """Most tokens of a sequence; None for what the model takes."""
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    every: float | None = None
    """Minutes or steps, as the recipe counts, between validations; None for a twentieth of all."""
    patience: int | None = None
    """Validations without gain after which to end; None for no such end."""
    held_out_words: int = 4000
    """Of each source, in each validation."""

    def __post_init__(self) -> None:
        names = [name_of(path) for path, _ in self.data]
        for name in names:
            if names.count(name) > 1:
                raise CompressionError(f"two files are called {name}; their figures could not be told apart")
        given = sum(share for _, share in self.data if share is not None)
        if given >= 1.0 - 1e-9 and any(share is None for _, share in self.data):
            raise CompressionError(
                f"the shares add up to {given:g}, which leaves nothing for the other files"
            )

    def shares(self, sources: Sequence[Source]) -> list[float]:
        """Each source's share of the training tokens; they add up to 1."""
        given = [share for _, share in self.data]
        rest = sum(source.tokens for source, share in zip(sources, given, strict=True) if share is None)
        left = 1.0 - sum(share for share in given if share is not None)
        shares = [
            left * source.tokens / rest if share is None else share
            for source, share in zip(sources, given, strict=True)
        ]
        return [share / sum(shares) for share in shares]

    def settings(self) -> dict[str, Setting]:
        """Everything that decides what is learned but data, start and seed, by name."""
        recipe = {name: value for name, value in asdict(self.recipe).items() if name != "seed"}
        layers = None if self.layers is None else list(self.layers)
        own: dict[str, Setting] = {
            "fresh": self.fresh,
            "layers": layers,
            "dropout": self.dropout,
            "length": self.length,
            "every": self.interval,
            "patience": self.patience,
            "held_out_words": self.held_out_words,
        }
        return recipe | own

    @property
    def interval(self) -> float:
        """Minutes or steps between validations."""
        total = self.recipe.minutes if self.recipe.steps is None else self.recipe.steps
        assert total is not None
        return total / 20 if self.every is None else self.every

    def identity(self, sources: Sequence[Source]) -> dict[str, object]:
        """What may not change when a training goes on."""
        return {
            "start": self.start,
            "fresh": self.fresh,
            "layers": None if self.layers is None else list(self.layers),
            "length": self.length,
            "seed": self.recipe.seed,
            "data": [source.sha256 for source in sources],
        }
