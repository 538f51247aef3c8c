"""What a policy saves, measured on the conversations that it held out. Knows no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

from proxy.ledger.counts import CLUSTERS, Counts

Basis = Literal["usage", "sent_tokens"]
Sums = tuple[int, int]
"""Paid and original tokens."""
Arm = Mapping[int, Counts]
"""The counts of an arm by cluster."""

LEAST_CLUSTERS = 16
"""So many must be seen in both arms before an interval is given: some 20 conversations in the smaller one."""
_NORMAL = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Measured:
    """The share of its prompt tokens that a policy saves, from the two arms."""

    share: float | None
    """None where an arm has no tokens."""
    low: float | None
    high: float | None
    """The 95 % confidence interval; None for too few conversations."""
    basis: Basis
    """By what was paid: the upstream's usage, or where none is known the tokens counted here."""
    treated_requests: int
    holdout_requests: int
    clusters: int
    """Seen in both arms, of `CLUSTERS`."""


def measure(treated: Arm, holdout: Arm) -> Measured:
    """One less the ratio of the arms' paid per original tokens, with its error.

    A conversation is in one arm and one cluster with all its requests, so that the error is that of conversations: the
    delete-a-group jackknife over random groups (Wolter, Introduction to Variance Estimation, chapter 4),
    with Student's t for as many groups as the smaller arm fills.
    """
    arms = (treated.values(), holdout.values())
    basis: Basis = (
        "usage" if all(any(counts.reconciled_requests for counts in arm) for arm in arms) else "sent_tokens"
    )
    ours, theirs = ({number: _sums(arm[number], basis) for number in arm} for arm in (treated, holdout))
    clusters = min(sum(original > 0 for _, original in arm.values()) for arm in (ours, theirs))
    low, high = _interval(ours, theirs, clusters)
    return Measured(
        share=_saved_share(_total(ours), _total(theirs)),
        low=low,
        high=high,
        basis=basis,
        treated_requests=_requests(treated, basis),
        holdout_requests=_requests(holdout, basis),
        clusters=clusters,
    )


def _sums(counts: Counts, basis: Basis) -> Sums:
    if basis == "usage":
        return counts.reconciled_prompt_tokens, counts.reconciled_original_tokens
    return counts.sent_tokens, counts.original_tokens


def _requests(arm: Arm, basis: Basis) -> int:
    return sum(counts.reconciled_requests if basis == "usage" else counts.requests for counts in arm.values())


def _total(arm: Mapping[int, Sums], without: int | None = None) -> Sums:
    kept = [sums for number, sums in arm.items() if number != without]
    return sum(paid for paid, _ in kept), sum(original for _, original in kept)


def _saved_share(treated: Sums, holdout: Sums) -> float | None:
    if not (treated[1] and holdout[0]):
        return None
    return 1 - (treated[0] / treated[1]) * (holdout[1] / holdout[0])


def _interval(
    treated: Mapping[int, Sums], holdout: Mapping[int, Sums], clusters: int
) -> tuple[float, float] | tuple[None, None]:
    whole = _saved_share(_total(treated), _total(holdout))
    rest = [_saved_share(_total(treated, g), _total(holdout, g)) for g in range(CLUSTERS)]
    if whole is None or clusters < LEAST_CLUSTERS:
        return None, None
    squares = [(share - whole) ** 2 for share in rest if share is not None]
    margin = students_t(clusters - 1) * sqrt((CLUSTERS - 1) / CLUSTERS * sum(squares))
    return whole - margin, whole + margin


def students_t(degrees: int) -> float:
    """The 97.5 % point of Student's t (Abramowitz and Stegun 26.7.5), to three digits from 8 degrees on."""
    z, part = _NORMAL, 1 / degrees
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return sum(term * part**power for power, term in enumerate(terms))
