"""What happens to a text depends on the text and the policy alone."""

from __future__ import annotations

from typing import Any

import pytest

from policies.groups import Text, arrival_groups
from policies.pieces import Measure
from policies.plan import plan_text
from policies.policy import Policy
from policies.skip import Skip
from policies.tokens import tokenizer

COUNTER = tokenizer("o200k_base")
PROSE = "The committee met again in the small room and talked for a long while about the old bridge. "


def _policy(**fields: Any) -> Policy:
    base: dict[str, Any] = {
        "targets": [{"role": ["user", "tool"], "min_tokens": 50}, {"role": "system", "mode": "off"}],
        "ranges": [{"min_tokens": 50, "max_tokens": 200, "rate": 0.8}, {"min_tokens": 200, "rate": 0.5}],
        "min_saved_tokens": 5,
    }
    return Policy.model_validate(base | fields)


@pytest.mark.parametrize(
    ("text", "fields", "skip"),
    [
        (Text("assistant", PROSE * 20), {}, Skip.ROLE),
        (Text("system", PROSE * 20), {}, Skip.OFF),
        (Text("user", PROSE), {}, Skip.SHORT),
        (Text("user", ""), {"targets": [{"role": "user"}], "ranges": [{"rate": 0.5}]}, Skip.PROTECTED),
        (Text("user", PROSE * 3), {"ranges": [{"min_tokens": 5000, "rate": 0.5}]}, Skip.SHORT),
        (Text("user", PROSE * 4), {"min_saved_tokens": 500}, Skip.SMALL_SAVING),
        (Text("tool", '{"a": [1, 2, 3], "b": "%s"}' % ("x " * 200)), {}, Skip.PROTECTED),
    ],
)
def test_why_a_text_is_left_alone(text: Text, fields: dict[str, Any], skip: Skip) -> None:
    plan = plan_text(text, _policy(**fields), COUNTER)
    assert plan.skip is skip
    assert not plan.pieces
    assert plan.expected_tokens == plan.original_tokens == COUNTER.count(text.text)


@pytest.mark.parametrize(("times", "rate"), [(4, 0.8), (40, 0.5)])
def test_the_rate_follows_from_the_texts_own_length(times: int, rate: float) -> None:
    plan = plan_text(Text("user", PROSE * times), _policy(), COUNTER)
    assert [piece.measure for piece in plan.pieces] == [Measure(rate=rate)]
    assert plan.expected_tokens == pytest.approx(rate * plan.original_tokens, rel=0.02)


def test_the_first_target_that_fits_decides() -> None:
    targets = [
        {"role": "user", "min_tokens": 300},
        {"role": "user", "mode": "off", "min_tokens": 100},
        {"role": "user"},
    ]
    ranges = [{"rate": 0.5}]
    skips = [
        plan_text(Text("user", PROSE * n), _policy(targets=targets, ranges=ranges), COUNTER).skip
        for n in (20, 8, 2)
    ]
    assert skips == [None, Skip.OFF, None]


def test_a_requested_rate_replaces_the_policys() -> None:
    plan = plan_text(Text("user", PROSE * 10), _policy(), COUNTER, rate=0.9)
    assert plan.pieces[0].measure == Measure(rate=0.9)


def test_other_measures() -> None:
    by_count = plan_text(Text("user", PROSE * 10), _policy(ranges=[{"target_tokens": 40}]), COUNTER)
    assert by_count.pieces[0].measure == Measure(target_tokens=40)
    assert by_count.expected_tokens == 40
    by_probability = plan_text(Text("user", PROSE * 10), _policy(ranges=[{"min_probability": 0.4}]), COUNTER)
    assert by_probability.pieces[0].measure == Measure(min_probability=0.4)


def test_tags_are_obeyed_and_never_sent() -> None:
    text = (
        f"{PROSE * 3}<laconic:keep>{PROSE}</laconic:keep>"
        f"<llmlingua, rate=0.3>{PROSE * 3}</llmlingua><llmlingua, compress=False>{PROSE * 2}</llmlingua>"
    )
    plan = plan_text(Text("user", text), _policy(), COUNTER, tags=True)
    assert [piece.measure.rate for piece in plan.pieces] == [0.5, 0.3]
    sent = "".join(text[start:end] for start, end in plan.whole)
    assert sent == PROSE * 9
    left = plan_text(Text("assistant", text), _policy(), COUNTER, tags=True)
    assert "".join(text[start:end] for start, end in left.whole) == PROSE * 9
    assert left.expected_tokens == COUNTER.count(PROSE * 9) < left.original_tokens


def test_tags_are_text_where_the_route_does_not_honour_them() -> None:
    text = f"<laconic:keep>{PROSE * 10}</laconic:keep>"
    plan = plan_text(Text("user", text), _policy(), COUNTER)
    assert plan.whole == ((0, len(text)),)


def test_the_operators_bound_holds_for_tags() -> None:
    text = f"<llmlingua, rate=0.1>{PROSE * 10}</llmlingua>"
    plan = plan_text(Text("user", text), _policy(min_rate=0.4), COUNTER, tags=True)
    assert plan.pieces[0].measure.rate == 0.4


@pytest.mark.parametrize(
    ("roles", "groups"),
    [
        ("", []),
        ("su", [0, 0]),
        ("suaua", [0, 0, 0, 1, 1]),
        ("suattaau", [0, 0, 0, 1, 1, 1, 1, 2]),
        ("au", [0, 1]),
    ],
)
def test_arrival_groups_end_with_the_answer(roles: str, groups: list[int]) -> None:
    names = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
    assert arrival_groups([names[role] for role in roles]) == groups


def test_later_messages_never_move_earlier_ones_to_another_group() -> None:
    roles = ["system", "user", "assistant", "tool", "tool", "assistant", "user", "user", "assistant"]
    for length in range(len(roles)):
        assert arrival_groups(roles)[:length] == arrival_groups(roles[:length])
