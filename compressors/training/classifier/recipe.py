"""What decides what is learned, but the data and the model it begins with. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained. Exactly one of `minutes` and `steps` is given."""

    minutes: float | None = None
    """Of training; pauses and validations don't count."""
    steps: int | None = None
    """Instead of minutes."""
    rate: float = 1e-4
    """The highest learning rate, after the warm-up; it falls to 0 along a line."""
    warm_up: float = 0.06
    """Share of the training."""
    decay: float = 0.01
    """Of the matrices' weights, as in AdamW."""
    batch_tokens: int = 4096
    """Of a step, padding left out."""
    smoothing: float = 0.0
    """How far labels are moved towards 1/2; 0 to 1."""
    average: float = 0.995
    """Of each step's weights in the average that is validated and kept; 0 takes the last step's."""
    offsets: bool = True
    """Whether each source has a learned rate; see `Objective`."""
    seed: int = 1
