"""What decides which weights of a classifier are best. Imports nothing heavy."""

from __future__ import annotations

from statistics import fmean

from compressors.training.report import Figures

F1, AVERAGE_PRECISION = "f1", "average_precision"


def overall(figures: Figures) -> float:
    """What decides which weights are best: the mean of all measures over the sources; 0 without any."""
    values = [value for measures in figures.values() for value in measures.values()]
    return fmean(values) if values else 0.0
