"""A summary as tables that fit a terminal of 80 columns, and as sentences. Knows no files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.markup import escape
from rich.table import Table

from proxy.ledger.counts import CLUSTERS, Counts
from proxy.ledger.holdout import LEAST_CLUSTERS, Measured
from proxy.ledger.summary import Summary


def tables(summary: Summary, times: str) -> Iterator[Table]:
    """What was saved and, where there is any, what shadow mode would have saved and what the upstream counted."""
    yield _table(f"saved {times}", summary, _savings)
    if summary.total.shadow_saved_tokens:
        yield _table("would have been saved in shadow mode; in no other figure", summary, _shadow)
    if summary.total.usage_requests:
        yield _table("counted by the upstream, where its answers told", summary, _usage)


def holdout_lines(summary: Summary) -> Iterator[str]:
    """A sentence for each policy that held conversations out."""
    for policy, measured in summary.holdouts.items():
        yield f"holdout of {policy}: {_holdout(measured)}"


def _table(title: str, summary: Summary, cells: Callable[[Counts], dict[str, str]]) -> Table:
    """A row for each group and the total, narrow enough for 80 columns."""
    table = Table(title=title, title_justify="left", min_width=len(title))
    table.add_column(summary.by or "", overflow="fold")
    for name in cells(summary.total):
        table.add_column(name, justify="right", no_wrap=True)
    if summary.by is not None:
        for group, counts in summary.groups.items():
            table.add_row(escape(group) or "–", *cells(counts).values())
        table.add_section()
    table.add_row("total", *cells(summary.total).values(), style="bold")
    return table


def _savings(counts: Counts) -> dict[str, str]:
    return {
        "requests": _number(counts.requests),
        "original": _number(counts.original_tokens),
        "sent": _number(counts.sent_tokens),
        "saved": _number(counts.saved_tokens),
        "%": _percent(counts.saved_share),
        "USD": f"{counts.saved_nanousd / 1e9:,.2f}",
        "compress s": f"{counts.compress_us / 1e6:,.1f}",
    }


def _shadow(counts: Counts) -> dict[str, str]:
    return {"tokens": _number(counts.shadow_saved_tokens)}


def _usage(counts: Counts) -> dict[str, str]:
    return {
        "answers": _number(counts.usage_requests),
        "prompt": _number(counts.usage_prompt_tokens),
        "cached": _number(counts.usage_cached_tokens),
        "completion": _number(counts.usage_completion_tokens),
        "drift": _number(counts.drift_tokens),
        "%": _percent(counts.drift_share),
    }


def _holdout(measured: Measured) -> str:
    if measured.share is None:
        return "nothing to compare yet, one of the arms has no tokens"
    counted = (
        "the upstream's usage" if measured.basis == "usage" else "laconic's own count, for want of usage"
    )
    text = f"{_percent(measured.share)} % fewer prompt tokens by {counted}"
    if measured.low is None or measured.high is None:
        text += (
            f"; too few conversations for an interval yet: seen in {measured.clusters} of {CLUSTERS} groups, "
            f"at least {LEAST_CLUSTERS} needed"
        )
    else:
        text += f", 95 % confidence interval {_percent(measured.low)} to {_percent(measured.high)}"
    return f"{text}; {measured.treated_requests:,} requests against {measured.holdout_requests:,} held out"


def _number(value: int) -> str:
    """Five digits at most; JSON and CSV have them all."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= 100 * size:
            return f"{value / size:,.0f}{unit}"
        if abs(value) >= 10 * size and size > 1000:
            return f"{value / size:.1f}{unit}"
    return f"{value:,}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
