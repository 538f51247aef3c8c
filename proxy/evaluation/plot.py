"""Retention over tokens kept, as PNG or SVG. Knows outcomes and matplotlib, which it imports when called."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.evaluation.methods import Method
from proxy.evaluation.outcomes import Retention
from proxy.evaluation.tables import CAPTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")
_MARKERS = "osD^vP*X"


def can_plot() -> bool:
    """Whether matplotlib is installed (the extra `laconic[eval]`)."""
    return importlib.util.find_spec("matplotlib") is not None


def plot(outcomes: Iterable[Retention], path: Path) -> None:
    """Draw one panel for each data set and one line for each method; the ending of `path` says the format.

    Without outcomes, an empty panel.
    """
    from matplotlib.figure import Figure

    panels: dict[str, list[Retention]] = {}
    for outcome in outcomes:
        panels.setdefault(outcome.data, []).append(outcome)
    panels = panels or {"nothing measured": []}
    figure = Figure(figsize=(1.8 + 4.4 * len(panels), 4.6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, (data, found) in zip(axes, panels.items(), strict=True):
        _draw(panel, data, found)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False)
    figure.supxlabel(CAPTION, fontsize="small", color="0.4")
    figure.savefig(path, dpi=150)


def _draw(panel: Axes, data: str, outcomes: Sequence[Retention]) -> None:
    lines: dict[Method, list[tuple[float, float]]] = {}
    for outcome in outcomes:
        points = lines.setdefault(outcome.method, [])
        if outcome.tokens.value is not None and outcome.answers.value is not None:
            points.append((100 * outcome.tokens.value, 100 * outcome.answers.value))
    for number, (method, points) in enumerate(lines.items()):
        is_baseline = method.model is None
        panel.plot(
            *zip(*sorted(points), strict=True) if points else ((), ()),
            label=method.label.replace(" ", "\n", 1),
            color=f"C{number % 10}",
            marker=_MARKERS[number % len(_MARKERS)],
            linestyle="--" if is_baseline else "-",
            linewidth=1.2 if is_baseline else 2.4,
            zorder=2 if is_baseline else 3,
        )
    panel.set(title=data, xlabel="tokens kept (%)", ylabel="answers kept (%)", ylim=(0, 102))
    panel.grid(color="0.9")
    panel.spines[["top", "right"]].set_visible(False)
