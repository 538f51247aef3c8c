"""Many outcomes as few figures. Knows no tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from policies.economics import Usage
from proxy.replay.outcomes import Outcome, Replayed

ALL = "all"
_CENT_OF_A_CENT = 1e-10


@dataclass(frozen=True, slots=True)
class Break:
    """Where a request didn't go on as the one before."""

    traffic: str
    conversation: str
    turn: int
    message: int
    """-1 for the tools."""
    role: str


@dataclass(frozen=True, slots=True)
class Cost:
    """How tokens are billed, and what for."""

    usage: Usage
    usd: float

    @property
    def hit_rate(self) -> float:
        """Share of the input that was read from the cache, in [0, 1]."""
        return self.usage.cached_tokens / self.usage.input_tokens if self.usage.input_tokens else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Some outcomes under one configuration, billed as one model."""

    config: str
    traffic: str
    policy: str
    billed_as: str
    costs_usd: Mapping[str, tuple[float, float]]
    """For each conversation: as it came, as it was sent."""
    requests: int
    refused: Mapping[str, int]
    """By status and code of the error."""
    original: Cost
    sent: Cost
    saved_tokens: int
    """Of the message texts."""
    breaks: tuple[Break, ...]
    compress_ms: tuple[float, ...]
    """Ascending, one for each request whose texts were looked at."""
    skips: Mapping[str, int]
    by_turn_usd: tuple[tuple[float, float], ...]
    """For each place in a conversation: all requests' cost there, as they came and as they were sent."""

    @property
    def change(self) -> float:
        """How much more the requests cost than as they came: -0.1 is a tenth less."""
        return self.sent.usd / self.original.usd - 1 if self.original.usd else 0.0

    @property
    def dearer(self) -> list[str]:
        """The conversations that cost more than as they came."""
        return [name for name, (came, sent) in self.costs_usd.items() if sent > came + _CENT_OF_A_CENT]

    def compress_quantile_ms(self, share: float) -> float | None:
        """The time within which `share` of the requests were shortened; None without any."""
        times = self.compress_ms
        return times[max(ceil(share * len(times)) - 1, 0)] if times else None


def summaries(config: str, done: Sequence[Replayed], billed_as: str) -> list[Summary]:
    """One summary for each traffic; one of all where there are several; one for each policy where there are several."""
    traffics = list(dict.fromkeys(each.traffic for each in done))
    policies = sorted(
        {outcome.policy for each in done for outcome in each.outcomes if not outcome.is_refused}
    )
    found = [
        _summary(config, name, ALL, billed_as, [each for each in done if each.traffic == name])
        for name in traffics
    ]
    if len(traffics) > 1:
        found.append(_summary(config, ALL, ALL, billed_as, done))
    if len(policies) > 1:
        found += [_summary(config, ALL, name, billed_as, list(_under(done, name))) for name in policies]
    return found


def _under(done: Iterable[Replayed], policy: str) -> Iterator[Replayed]:
    for each in done:
        outcomes = tuple(outcome for outcome in each.outcomes if outcome.policy == policy)
        if outcomes:
            yield replace(each, outcomes=outcomes)


def _summary(config: str, traffic: str, policy: str, billed_as: str, done: Sequence[Replayed]) -> Summary:
    outcomes = [outcome for each in done for outcome in each.outcomes]
    bills = [outcome.bills[billed_as] for outcome in outcomes]
    skips: Counter[str] = Counter()
    for outcome in outcomes:
        skips.update(outcome.skips)
    return Summary(
        config=config,
        traffic=traffic,
        policy=policy,
        billed_as=billed_as,
        costs_usd=dict(_costs_usd(done, billed_as)),
        requests=len(outcomes),
        refused=Counter(f"{each.status} {each.error}".strip() for each in outcomes if each.is_refused),
        original=Cost(
            sum((bill.original for bill in bills), Usage()), sum(bill.original_usd for bill in bills)
        ),
        sent=Cost(sum((bill.sent for bill in bills), Usage()), sum(bill.sent_usd for bill in bills)),
        saved_tokens=sum(each.saved_tokens for each in outcomes),
        breaks=tuple(_breaks(done, billed_as)),
        compress_ms=tuple(sorted(each.compress_ms for each in outcomes if each.compress_ms is not None)),
        skips=dict(skips.most_common()),
        by_turn_usd=tuple(_by_turn_usd([each.outcomes for each in done], billed_as)),
    )


def _costs_usd(done: Iterable[Replayed], billed_as: str) -> Iterator[tuple[str, tuple[float, float]]]:
    for each in done:
        bills = [outcome.bills[billed_as] for outcome in each.outcomes]
        costs = (sum(bill.original_usd for bill in bills), sum(bill.sent_usd for bill in bills))
        yield f"{each.traffic}: {each.conversation}", costs


def _breaks(done: Iterable[Replayed], billed_as: str) -> Iterator[Break]:
    for each in done:
        for outcome in each.outcomes:
            broken = outcome.bills[billed_as].prefix_break
            if broken is not None:
                yield Break(each.traffic, each.conversation, outcome.turn, broken.message, broken.role)


def _by_turn_usd(done: Sequence[Sequence[Outcome]], billed_as: str) -> Iterator[tuple[float, float]]:
    for place in range(max(map(len, done), default=0)):
        bills = [outcomes[place].bills[billed_as] for outcomes in done if place < len(outcomes)]
        yield sum(bill.original_usd for bill in bills), sum(bill.sent_usd for bill in bills)
