"""Latency and tokens a second over the size of texts, as PNG or SVG.

Knows outcomes and matplotlib, which it imports when called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from proxy.bench.outcomes import Latency, Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "osD^vP*X"


def plot(found: Sequence[Measured], path: Path) -> None:
    """Draw two panels for each model; the ending of `path` says the format. Mixed sizes are left out."""
    from matplotlib.figure import Figure

    rows = max(len(found), 1)
    figure = Figure(figsize=(10, 0.6 + 3.8 * rows), layout="constrained")
    panels = figure.subplots(rows, 2, squeeze=False)
    for (left, right), each in zip(panels, found, strict=False):
        _draw(left, right, each)
    figure.savefig(path, dpi=150)


def _draw(left: Axes, right: Axes, found: Measured) -> None:
    lines: dict[int, list[Latency]] = {}
    for each in found.latency:
        if each.size.isdecimal() and each.latency is not None:
            lines.setdefault(each.concurrency, []).append(each)
    for number, (callers, some) in enumerate(sorted(lines.items())):
        middles = [each.latency.p50 for each in some if each.latency is not None]
        rates = [each.tokens_per_s or 0.0 for each in some]
        for panel, values in ((left, middles), (right, rates)):
            panel.plot(
                [int(each.size) for each in some],
                values,
                label=f"{callers} caller{'s' * (callers > 1)}",
                marker=_MARKERS[number % len(_MARKERS)],
                color=f"C{number % 10}",
            )
    _draw_package(left, found)
    sizes = sorted({int(each.size) for some in lines.values() for each in some})
    title = f"{found.model} · {found.method} · {found.dtype or 'default dtype'}"
    left.set(title=title, ylabel="latency, median (ms)", xscale="log", yscale="log")
    left.yaxis.set_major_formatter("{x:,g}")
    right.set(title="throughput", ylabel="tokens/s", xscale="log", ylim=(0, None))
    right.margins(y=0.1)
    for panel in (left, right):
        panel.set_xlabel("tokens of a text")
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
        panel.minorticks_off()
        panel.grid(color="0.9")
        panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False)


def _draw_package(panel: Axes, found: Measured) -> None:
    sized = [each for each in found.beside if each.case.isdecimal()]
    points = [
        (int(each.case), 1000 * median(side.seconds))
        for each in sized
        for side in each.sides
        if side.name.startswith("llmlingua") and side.seconds
    ]
    if points:
        panel.plot(
            *zip(*points, strict=True), label="llmlingua, 1 caller", color="0.4", linestyle="--", marker="x"
        )
