"""Of tool definitions, descriptions are shortened; what answers must conform to stays."""

from __future__ import annotations

import json

from policies.groups import Text
from policies.plan import glance, plan_text
from policies.policy import Policy
from policies.rules import Target
from policies.skip import Skip
from policies.tokens import tokenizer

DESCRIPTION = "Books a table at a restaurant for the guests that are named in the list of guests."
TOOL = {
    "type": "function",
    "function": {
        "name": "book",
        "description": DESCRIPTION,
        "parameters": {
            "type": "object",
            "properties": {
                "description": {
                    "type": "string",
                    "description": "What the guests would like to celebrate there",
                },
                "when": {
                    "type": "string",
                    "enum": ["lunch time", "dinner time"],
                    "title": "The time of the day",
                },
            },
            "required": ["when"],
        },
    },
}
TEXT = json.dumps([TOOL, TOOL], indent=1)
COUNTER = tokenizer("o200k_base")


def _policy(*targets: Target) -> Policy:
    return Policy(targets=targets, min_saved_tokens=1, json_layout="tabular")


def test_only_descriptions_may_go() -> None:
    plan = plan_text(Text("tools", TEXT), _policy(Target(role=("tools",), rate=0.5)), COUNTER)
    told = [TEXT[slice(*piece.span)].strip() for piece in plan.pieces]
    assert told == [DESCRIPTION, "What the guests would like to celebrate there"] * 2
    assert {piece.measure.rate for piece in plan.pieces} == {0.5}
    assert plan.whole[0][0] == 0
    assert sum(end - start for start, end in plan.whole) == len(TEXT)  # the layout is not for definitions
    assert plan.expected_tokens < plan.original_tokens


def test_without_a_rule_nothing_goes() -> None:
    assert plan_text(Text("tools", TEXT), _policy(Target(role=("tool",))), COUNTER).skip is Skip.ROLE
    assert glance(Text("tools", TEXT), _policy(Target(role=("tool",)))) is Skip.ROLE
    assert plan_text(Text("tools", TEXT), _policy(Target(role=("tools",), rate=1.0)), COUNTER).skip


def test_a_targets_rate_goes_before_ranges() -> None:
    policy = _policy(Target(role=("system",), rate=0.9), Target(role=("user",)))
    prose = "The meeting began with a long discussion of the budget. " * 40
    rates = {
        role: plan_text(Text(role, prose), policy, COUNTER).pieces[0].measure.rate
        for role in ("system", "user")
    }
    assert rates == {"system": 0.9, "user": 0.7}
