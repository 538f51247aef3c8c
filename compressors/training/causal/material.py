"""What a causal model learns from, whatever that is. Knows no model and no files."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any, Protocol

from compressors.training.causal.loss import Batch, Loss
from compressors.training.record import Data
from compressors.training.report import Figures


class Material(Protocol):
    """Batches to learn from, and what is held out to see how well that goes."""

    measure: str
    """The figure that decides which weights are best: the lower the better."""

    @property
    def data(self) -> Sequence[Data]:
        """Where it comes from."""

    def loss(self, model: Any) -> Loss:
        """How `model`, on its device, is made to learn a batch."""

    def batches(self, step: int, progress: float) -> list[Batch]:
        """What a step learns from; the same for the same two numbers."""

    def figures(self, model: Any) -> Figures:
        """How well `model` does on what is held out; leaves it evaluating."""


def overall(figures: Figures, measure: str) -> float:
    """The mean of `measure` over the sources."""
    return fmean(values[measure] for values in figures.values())
