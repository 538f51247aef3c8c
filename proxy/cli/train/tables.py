"""Figures of samples as tables. Knows measures by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from rich.table import Table

_PERCENTILES = (50, 90, 95, 99)


def distributions(measures: Mapping[str, Sequence[float]]) -> Table:
    """Mean and percentiles of each measure, by name; without samples, dashes."""
    import numpy as np

    samples = max(map(len, measures.values()), default=0)
    table = Table(title=f"{samples} sample{'s' * (samples != 1)}", title_justify="left")
    table.add_column("measure")
    for name in ("mean", *(f"P{percent}" for percent in _PERCENTILES)):
        table.add_column(name, justify="right")
    for name, values in measures.items():
        figures = [fmean(values), *np.percentile(values, _PERCENTILES)] if values else []
        shown = [f"{figure:.3f}" for figure in figures] or ["–"] * (len(_PERCENTILES) + 1)
        table.add_row(name.replace("_", " "), *shown)
    return table
