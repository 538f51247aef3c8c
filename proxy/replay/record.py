"""Summaries as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from proxy.replay.summary import Cost, Summary
from proxy.replay.tables import CAPTION


def record(summaries: Sequence[Summary], settings: Mapping[str, object]) -> dict[str, Any]:
    """All figures; tokens, USD and milliseconds."""
    return {
        "measures": CAPTION,
        "laconic": version("laconic"),
        "settings": dict(settings),
        "summaries": [_fields(summary) for summary in summaries],
    }


def _fields(summary: Summary) -> dict[str, Any]:
    times = summary.compress_ms
    return {
        "config": summary.config,
        "traffic": summary.traffic,
        "policy": summary.policy,
        "billed_as": summary.billed_as,
        "conversations": len(summary.costs_usd),
        "requests": summary.requests,
        "refused": dict(summary.refused),
        "without_laconic": _cost(summary.original),
        "sent": _cost(summary.sent),
        "change": summary.change,
        "saved_tokens": summary.saved_tokens,
        "conversations_that_cost_more": summary.dearer,
        "prefix_breaks": [asdict(broken) for broken in summary.breaks],
        "compress_ms": {
            "requests": len(times),
            "p50": summary.compress_quantile_ms(0.5),
            "p99": summary.compress_quantile_ms(0.99),
            "total": sum(times),
        },
        "skips": dict(summary.skips),
        "costs_usd": {name: list(costs) for name, costs in summary.costs_usd.items()},
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {**asdict(cost.usage), "cache_hit_rate": cost.hit_rate, "usd": cost.usd}
