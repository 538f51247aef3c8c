"""Figures worked out by hand."""

from __future__ import annotations

import pytest

from policies.economics import Bill, PrefixBreak, Usage
from proxy.replay.outcomes import REPLAYED, Outcome, Replayed
from proxy.replay.summary import ALL, Break, summaries


def outcome(
    turn: int,
    original_usd: float,
    sent_usd: float,
    *,
    policy: str = "p",
    ms: float | None = None,
    broken: PrefixBreak | None = None,
    error: str = "",
) -> Outcome:
    bill = Bill("m", Usage(100, 50), original_usd, Usage(80, 20), sent_usd, broken)
    return Outcome(turn, 503 if error else 200, error, policy, 20, ms, {"off": 1, "role": 2}, {"m": bill})


def replayed(name: str, *outcomes: Outcome, traffic: str = "t") -> Replayed:
    return Replayed("run", traffic, name, outcomes)


def test_sums_and_shares() -> None:
    done = [
        replayed("cheap", outcome(0, 4, 2, ms=1), outcome(1, 2, 1, ms=3)),
        replayed(
            "dear",
            outcome(0, 2, 3, ms=2, broken=PrefixBreak(5, "tool")),
            outcome(7, 1, 1, error="overloaded"),
        ),
    ]
    (summary,) = summaries("c", done, "m")
    assert (summary.requests, summary.original.usd, summary.sent.usd) == (4, 9, 7)
    assert summary.change == pytest.approx(-2 / 9)
    assert (summary.original.hit_rate, summary.sent.hit_rate) == (0.5, 0.25)
    assert summary.dearer == ["t: dear"]
    assert summary.breaks == (Break("t", "dear", 0, 5, "tool"),)
    assert summary.refused == {"503 overloaded": 1}
    assert summary.skips == {"role": 8, "off": 4}
    assert summary.by_turn_usd == ((6, 5), (3, 2))
    assert summary.saved_tokens == 80
    assert [summary.compress_quantile_ms(share) for share in (0.01, 0.5, 0.99)] == [1, 2, 3]


def test_one_summary_for_each_traffic_and_policy_where_there_are_several() -> None:
    done = [
        replayed("a", outcome(0, 1, 1), outcome(1, 1, 1, policy="q")),
        replayed("a", outcome(0, 2, 2), traffic="u"),
    ]
    found = {(each.traffic, each.policy): each for each in summaries("c", done, "m")}
    assert {place: each.requests for place, each in found.items()} == {
        ("t", ALL): 2,
        ("u", ALL): 1,
        (ALL, ALL): 3,
        (ALL, "p"): 2,
        (ALL, "q"): 1,
    }
    assert list(found[ALL, ALL].costs_usd) == ["t: a", "u: a"]


def test_without_requests_looked_at_there_is_no_time() -> None:
    (summary,) = summaries("c", [replayed("a", outcome(0, 0, 0))], "m")
    assert (summary.compress_quantile_ms(0.5), summary.change, summary.dearer) == (None, 0, [])


def test_outcomes_survive_being_written_and_read() -> None:
    one = replayed("a", outcome(0, 1, 1.5, ms=2.5, broken=PrefixBreak(-1, "tools")))
    assert REPLAYED.validate_json(REPLAYED.dump_json(one)) == one
