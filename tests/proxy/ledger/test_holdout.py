"""What the two arms say about a policy's saving, on simulated conversations of a known one."""

from __future__ import annotations

import numpy as np
import pytest

from proxy.ledger.counts import CLUSTERS, Counts
from proxy.ledger.holdout import LEAST_CLUSTERS, Measured, measure, students_t
from proxy.usage import Usage

KEPT, OVERHEAD = 0.6, 0.1
SAVING = (1 - KEPT) / (1 + OVERHEAD)


def _simulated(rng: np.random.Generator, conversations: int, held_out: float) -> list[dict[int, Counts]]:
    """The treated and the held-out arm.

    Conversations differ by the hundredfold in length, and in how much of their texts stays; every prompt has
    some tokens that nobody counts.
    """
    arms: list[dict[int, Counts]] = [{}, {}]
    requests = rng.geometric(0.2, conversations)
    original = requests * rng.lognormal(7, 1, conversations)
    kept = rng.beta(3, 2, conversations)  # 0.6 on average
    overhead = rng.gamma(2, OVERHEAD / 2, conversations)
    held = rng.random(conversations) < held_out
    cluster = rng.integers(0, CLUSTERS, conversations)
    sent = original * np.where(held, 1, kept)
    for row in zip(held, cluster, requests, original, sent, sent + original * overhead, strict=True):
        arm, where, *numbers = map(int, row)
        asked, before, after, prompt = numbers
        arms[arm][where] = (
            arms[arm]
            .get(where, Counts())
            .plus(
                Counts(
                    asked, before, after, 0, 0, 0, asked, *Usage(prompt, 0, 0), asked, before, after, prompt
                )
            )
        )
    return arms


def _without_usage(arm: dict[int, Counts]) -> dict[int, Counts]:
    return {where: Counts(*counts[:3]) for where, counts in arm.items()}


@pytest.mark.parametrize(("conversations", "held_out"), [(600, 0.05), (1000, 0.2)])
def test_the_interval_holds_the_true_saving_and_the_estimate_is_unbiased(
    conversations: int, held_out: float
) -> None:
    rng = np.random.default_rng(20)
    found = [measure(*_simulated(rng, conversations, held_out)) for _ in range(400)]
    found = [one for one in found if one.low is not None]
    assert len(found) > 300
    shares = np.array([one.share for one in found], float)
    covered = [one.low <= SAVING <= one.high for one in found if one.low is not None and one.high is not None]
    assert 0.91 <= np.mean(covered) <= 0.98
    assert abs(shares.mean() - SAVING) < 4 * shares.std() / len(shares) ** 0.5
    assert {one.basis for one in found} == {"usage"}


def test_more_conversations_narrow_the_interval() -> None:
    def width(conversations: int) -> float:
        measured = measure(*_simulated(np.random.default_rng(3), conversations, 0.1))
        assert measured.low is not None
        assert measured.high is not None
        return measured.high - measured.low

    assert width(20_000) < width(1000) / 2


def test_requests_of_one_conversation_are_not_taken_for_many_conversations() -> None:
    """The same conversations with ten times the requests say no more about the saving."""
    arms = _simulated(np.random.default_rng(4), 1000, 0.1)
    often = [{where: Counts._make(10 * n for n in counts) for where, counts in arm.items()} for arm in arms]
    once, ten = measure(*arms), measure(*often)
    assert (ten.low, ten.high) == pytest.approx((once.low, once.high))
    assert ten.holdout_requests == 10 * once.holdout_requests


def test_without_usage_the_tokens_counted_here_are_compared() -> None:
    treated, holdout = _simulated(np.random.default_rng(5), 3000, 0.1)
    counted = measure(_without_usage(treated), _without_usage(holdout))
    assert counted.basis == "sent_tokens"
    assert counted.share == pytest.approx(1 - KEPT, abs=0.05)
    # Usage in one arm alone can't be compared with anything.
    assert measure(treated, _without_usage(holdout)) == counted
    assert counted.treated_requests + counted.holdout_requests == sum(
        counts.requests for arm in (treated, holdout) for counts in arm.values()
    )


def test_too_few_conversations_have_no_interval() -> None:
    arms = _simulated(np.random.default_rng(6), 5000, 0.2)
    few = {where: arms[1][where] for where in range(LEAST_CLUSTERS - 1)}
    measured = measure(arms[0], few)
    assert (measured.low, measured.high, measured.clusters) == (None, None, LEAST_CLUSTERS - 1)
    assert measured.share is not None
    enough = measure(arms[0], {where: arms[1][where] for where in range(LEAST_CLUSTERS)})
    assert enough.low is not None


@pytest.mark.parametrize(
    ("treated", "holdout"), [({}, {}), ({0: Counts(1, 10, 5)}, {}), ({}, {0: Counts(1, 10, 10)})]
)
def test_an_arm_without_tokens_says_nothing(treated: dict[int, Counts], holdout: dict[int, Counts]) -> None:
    requests = (len(treated), len(holdout))
    assert measure(treated, holdout) == Measured(None, None, None, "sent_tokens", *requests, 0)


def test_a_policy_that_costs_more_has_a_negative_saving() -> None:
    arms = (
        {g: Counts(1, 100, 110) for g in range(CLUSTERS)},
        {g: Counts(1, 100, 100) for g in range(CLUSTERS)},
    )
    measured = measure(*arms)
    assert (measured.share, measured.low, measured.high) == pytest.approx((-0.1, -0.1, -0.1))


@pytest.mark.parametrize(("degrees", "expected"), [(8, 2.3060), (15, 2.1314), (23, 2.0687), (31, 2.0395)])
def test_students_t(degrees: int, expected: float) -> None:
    assert students_t(degrees) == pytest.approx(expected, abs=5e-4)
