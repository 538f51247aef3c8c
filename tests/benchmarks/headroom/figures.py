"""What each side's requests cost and lose. Bills by `laconic replay`'s own simulator; knows no tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from policies.economics import Bill, ModelFacts, Usage, bill_bodies
from tests.benchmarks.headroom.recording import Conversations, numbers

AS_SENT = "as they came"
_CENT_OF_A_CENT = 1e-10
Facts = Callable[[str], ModelFacts]


@dataclass(frozen=True, slots=True)
class Figures:
    """One side's, for one traffic file, billed as one model."""

    side: str
    usage: Usage
    usd: float
    change: float = 0.0
    """How much more than as they came: -0.1 is a tenth less."""
    dearer: int = 0
    """Conversations that cost more."""
    breaks: int = 0
    """Requests that don't go on where the one before ended although the original does."""
    unsent: int = 0
    """Requests that the proxy answered by itself."""
    added_p50_ms: float | None = None
    added_p99_ms: float | None = None
    numbers: tuple[int, int] | None = None
    """Different strings of digits in the conversations, and those lost; None if nobody could look."""

    @property
    def cached_share(self) -> float:
        """Share of the input that was read from the cache, in [0, 1]."""
        return self.usage.cached_tokens / self.usage.input_tokens if self.usage.input_tokens else 0.0


def as_they_came(conversations: Conversations, facts: Facts) -> Figures:
    """The requests themselves."""
    bills = _came(conversations, facts)
    flat = [bill for each in bills for bill in each]
    return Figures(AS_SENT, sum((bill.sent for bill in flat), Usage()), sum(bill.sent_usd for bill in flat))


def recorded(side: str, conversations: Conversations, facts: Facts) -> Figures:
    """What a proxy made of them."""
    # Requests that never reached the upstream are no part of the bill.
    sent = [
        [(each.original, each.sent) for each in exchanges if each.sent is not None]
        for exchanges in conversations.values()
    ]
    bills = bill_bodies(sent, facts)
    flat = [bill for each in bills for bill in each]
    before = [sum(bill.sent_usd for bill in each) for each in _came(conversations, facts)]
    after = [sum(bill.sent_usd for bill in each) for each in bills]
    times_ms = sorted(each.added_ms for exchanges in conversations.values() for each in exchanges)
    return Figures(
        side=side,
        usage=sum((bill.sent for bill in flat), Usage()),
        usd=sum(after),
        change=sum(after) / sum(before) - 1,
        dearer=sum(now > then + _CENT_OF_A_CENT for then, now in zip(before, after, strict=True)),
        breaks=sum(bill.prefix_break is not None for bill in flat),
        unsent=len(times_ms) - len(flat),
        added_p50_ms=_quantile(times_ms, 0.5),
        added_p99_ms=_quantile(times_ms, 0.99),
        numbers=numbers(conversations),
    )


def replayed(path: Path, traffic: str, billed_as: str) -> Iterator[Figures]:
    """What `laconic replay --json` wrote to `path`, one for each configuration; its times are of shortening alone."""
    for summary in json.loads(path.read_text())["summaries"]:
        if (summary["traffic"], summary["policy"], summary["billed_as"]) != (traffic, "all", billed_as):
            continue
        sent, times_ms = summary["sent"], summary["compress_ms"]
        usage = Usage(*(sent[name] for name in Usage.__dataclass_fields__))
        yield Figures(
            side=f"laconic replay, {summary['config']}",
            usage=usage,
            usd=sent["usd"],
            change=summary["change"],
            dearer=len(summary["conversations_that_cost_more"]),
            breaks=len(summary["prefix_breaks"]),
            unsent=sum(summary["refused"].values()),
            added_p50_ms=times_ms["p50"],
            added_p99_ms=times_ms["p99"],
        )


def _came(conversations: Conversations, facts: Facts) -> Sequence[Sequence[Bill]]:
    bodies = [[(each.original, each.original) for each in exchanges] for exchanges in conversations.values()]
    return bill_bodies(bodies, facts)


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[max(ceil(share * len(ascending)) - 1, 0)]
