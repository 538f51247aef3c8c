"""Rows of the ledger added up for a report. Knows neither stores nor output."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from proxy.ledger.counts import Counts, Row, Series
from proxy.ledger.holdout import Measured, measure


def _time(pattern: str) -> Callable[[Series], str]:
    return lambda series: datetime.fromtimestamp(series.bucket, UTC).strftime(pattern)


GROUPINGS: dict[str, Callable[[Series], str]] = {
    "route": lambda series: series.dimensions.route,
    "policy": lambda series: series.dimensions.policy,
    "model": lambda series: series.dimensions.model,
    "key": lambda series: series.dimensions.key,
    "mode": lambda series: series.dimensions.mode,
    "day": _time("%Y-%m-%d"),
    "hour": _time("%Y-%m-%dT%H:00Z"),
}
"""By what a report may be split; days and hours in UTC."""


@dataclass(slots=True)
class Summary:
    """What a report says."""

    by: str | None
    groups: dict[str, Counts] = field(default_factory=dict)
    total: Counts = field(default_factory=Counts)
    holdouts: dict[str, Measured] = field(default_factory=dict)
    """Measured savings of each policy that held conversations out."""


async def summarise(rows: AsyncIterator[Row], by: str | None = None) -> Summary:
    """Add rows up; groups of time come in order, others by what they saved."""
    summary = Summary(by)
    group = GROUPINGS[by] if by is not None else lambda _: ""
    arms: dict[tuple[str, str], dict[int, Counts]] = {}
    async for series, counts in rows:
        name, where = group(series), series.dimensions
        summary.groups[name] = summary.groups.get(name, Counts()).plus(counts)
        summary.total = summary.total.plus(counts)
        if where.arm:
            arm = arms.setdefault((where.policy, where.arm), {})
            arm[where.cluster] = arm.get(where.cluster, Counts()).plus(counts)
    summary.groups = dict(
        sorted(summary.groups.items(), key=_time_order if by in ("day", "hour") else _saving_order)
    )
    for policy in sorted({policy for policy, _ in arms}):
        summary.holdouts[policy] = measure(
            arms.get((policy, "treated"), {}), arms.get((policy, "holdout"), {})
        )
    return summary


def _time_order(group: tuple[str, Counts]) -> tuple[int, str]:
    return 0, group[0]


def _saving_order(group: tuple[str, Counts]) -> tuple[int, str]:
    return -group[1].saved_tokens, group[0]
