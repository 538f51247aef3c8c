"""How measures are distributed, as PNG or SVG. Knows figures and matplotlib, which it imports when called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def plot(measures: Mapping[str, Sequence[float]], highest: Mapping[str, float], path: Path) -> None:
    """Draw a histogram for each measure by name, and a line where samples are dropped if `highest` has one.

    The ending of `path` says the format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.0 + 3.6 * len(measures), 3.4), layout="constrained")
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for panel, (name, values) in zip(panels, measures.items(), strict=True):
        panel.hist(values, bins=40, color="C0")
        if name in highest:
            panel.axvline(
                highest[name], color="C3", linestyle="--", label=f"dropped from {highest[name]:.3f} on"
            )
            panel.legend(frameon=False, fontsize="small")
        panel.set(title=name.replace("_", " "), ylabel="samples")
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
