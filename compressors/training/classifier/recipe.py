"""What decides what is learned, but the data and the model it begins with. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from compressors.training import plan


@dataclass(frozen=True, kw_only=True)
class Recipe(plan.Recipe):
    """How a classifier is trained."""

    rate: float = 1e-4
    warm_up: float = 0.06
    decay: float = 0.01
    batch_tokens: int = 4096
    """Of a step, padding left out."""
    smoothing: float = 0.0
    """How far labels are moved towards 1/2; 0 to 1."""
    average: float = 0.995
    """Of each step's weights in the average that is validated and kept; 0 takes the last step's."""
    offsets: bool = True
    """Whether each source has a learned rate; see `Objective`."""
    taught: float = 0.5
    """What teachers count against labels, where there are teachers; 0 to 1."""
