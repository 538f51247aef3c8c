"""Summaries as pictures in SVG. Knows matplotlib, which it imports when called."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.replay.summary import ALL, Summary
from proxy.replay.tables import BASELINE, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY = "0.6"


def plots(summaries: Sequence[Summary]) -> list[str]:
    """For each model billed as: cost by traffic, by turn and by conversation, and how long shortening took."""
    models = dict.fromkeys(summary.billed_as for summary in summaries)
    return [
        _picture(model, [s for s in summaries if s.billed_as == model and s.policy == ALL])
        for model in models
    ]


def _picture(model: str, found: Sequence[Summary]) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    whole = list({summary.config: summary for summary in found}.values())  # the last has all traffic
    with mpl.rc_context({"svg.hashsalt": model, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(11, 7), layout="constrained")
        (cost, turns), (changes, times) = figure.subplots(2, 2)
        _cost(cost, found)
        _turns(turns, whole)
        _changes(changes, whole)
        _times(times, whole)
        figure.suptitle(f"billed as {title(model)}")
        figure.legend(*cost.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]  # a declaration has no place within a page


def _cost(panel: Axes, found: Sequence[Summary]) -> None:
    traffics = list(dict.fromkeys(summary.traffic for summary in found))
    configs = list(dict.fromkeys(summary.config for summary in found))
    width = 0.8 / len(configs)
    panel.axhline(100, color=_GREY, label=BASELINE)
    for number, config in enumerate(configs):
        heights = {s.traffic: 100 * (1 + s.change) for s in found if s.config == config}
        places = [place + width * (number - (len(configs) - 1) / 2) for place in range(len(traffics))]
        bars = panel.bar(
            places, [heights[name] for name in traffics], 0.9 * width, color=f"C{number}", label=config
        )
        panel.bar_label(bars, fmt="%.0f", fontsize="small")
    panel.set_xticks(range(len(traffics)), ["all" if name == ALL else name for name in traffics])
    _finish(panel, "input cost", "", f"% of the cost {BASELINE}")


def _turns(panel: Axes, whole: Sequence[Summary]) -> None:
    for number, summary in enumerate(whole):
        came, sent = zip(*summary.by_turn_usd, strict=True)
        turns = range(1, len(came) + 1)
        if number == 0:
            panel.plot(turns, came, color=_GREY, label=BASELINE)
        panel.plot(turns, sent, color=f"C{number}", label=summary.config)
    _finish(panel, "input cost by turn, all conversations together", "turn", "USD")


def _changes(panel: Axes, whole: Sequence[Summary]) -> None:
    panel.axhline(0, color=_GREY)
    for number, summary in enumerate(whole):
        changes = sorted(100 * (sent / came - 1) for came, sent in summary.costs_usd.values() if came)
        panel.plot(range(1, len(changes) + 1), changes, ".-", color=f"C{number}", markersize=3)
    _finish(panel, "change of each conversation's cost", "conversations, by change", "%")


def _times(panel: Axes, whole: Sequence[Summary]) -> None:
    for number, summary in enumerate(whole):
        times = summary.compress_ms
        shares = [100 * place / len(times) for place in range(1, len(times) + 1)]
        panel.plot(times, shares, drawstyle="steps-post", color=f"C{number}")
    panel.set_xscale("symlog", linthresh=1)
    _finish(panel, "time added by shortening", "ms", "% of requests within")


def _finish(panel: Axes, name: str, across: str, up: str) -> None:
    panel.set(title=name, xlabel=across, ylabel=up)
    panel.grid(color="0.92")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
