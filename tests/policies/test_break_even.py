"""When a saving is worth its time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.break_even import most_saved_tokens, token_s
from policies.groups import Text
from policies.plan import glance, plan_text
from policies.policy import Policy
from policies.rules import BreakEven, Range, Target
from policies.tokens import tokenizer

COUNTER = tokenizer("o200k_base")


@pytest.mark.parametrize(
    ("value", "input_usd", "prefill_s", "expected"),
    [
        ("price", 2e-6, None, 0.002),
        ("price", 2e-6, 0.5, 0.002),
        ("price", None, 0.5, 0.5),
        ("latency", 2e-6, 0.5, 0.5),
        ("latency", 2e-6, None, 0.002),
        ("latency", None, None, None),
        ("off", 2e-6, 0.5, None),
    ],
)
def test_what_a_saved_token_is_worth(
    value: str, input_usd: float | None, prefill_s: float | None, expected: float | None
) -> None:
    rule = BreakEven.model_validate({"value": value, "usd_per_second": 0.001})
    assert token_s(rule, input_usd, prefill_s, on_gpu=True) == expected


def test_a_second_costs_what_renting_the_machine_does() -> None:
    on_gpu, on_cpu = (token_s(BreakEven(), 1e-6, None, on_gpu=on_gpu) for on_gpu in (True, False))
    assert on_gpu is not None
    assert on_cpu is not None
    assert on_gpu < on_cpu


WORDS = ["the", "meeting", "began", "with", "a", "long", "discussion", "of", "budgets", "42", "不"]
TEXTS = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=400).map(" ".join))
TARGETS = st.lists(
    st.builds(
        Target,
        role=st.sampled_from([("user",), ("tool", "user"), ("system",), ("tools",)]),
        min_tokens=st.integers(0, 200),
        mode=st.sampled_from(["on", "off"]),
        rate=st.sampled_from([None, 0.5]),
    ),
    max_size=3,
)
RANGES = st.lists(
    st.builds(Range, min_tokens=st.integers(0, 300), rate=st.floats(0.1, 0.9)), min_size=1, max_size=2
)
ROLES = st.sampled_from(["user", "tool", "system", "assistant", "tools"])


@given(text=TEXTS, role=ROLES, targets=TARGETS, ranges=RANGES)
def test_a_glance_tells_what_a_plan_would(
    text: str, role: str, targets: list[Target], ranges: list[Range]
) -> None:
    policy = Policy(targets=tuple(targets), ranges=tuple(ranges), min_saved_tokens=1)
    plan = plan_text(Text(role, text), policy, COUNTER)
    assert glance(Text(role, text), policy) in (None, plan.skip)


@given(text=TEXTS, ranges=RANGES)
def test_no_plan_expects_to_save_more_than_the_most(text: str, ranges: list[Range]) -> None:
    policy = Policy(
        targets=(Target(role=("user",)),), ranges=tuple(ranges), min_saved_tokens=1, protect=frozenset()
    )
    plan = plan_text(Text("user", text), policy, COUNTER)
    is_ordinary = text.isascii() and len(text) / 3 >= plan.original_tokens
    saved = plan.original_tokens - plan.expected_tokens
    assert not is_ordinary or saved <= most_saved_tokens(text, policy, None) + 1
