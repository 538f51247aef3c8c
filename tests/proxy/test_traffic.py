"""No prefix breaks on the way through laconic, whatever befalls a conversation, real or invented."""

from __future__ import annotations

import asyncio
import json
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.breaks import config_of
from tests.benchmarks.trouble import RATES, REPLICAS, SCENARIOS, AnyWords, Trouble, most_breaks
from tests.benchmarks.turns import Body, Break, Course, Replicas, breaks
from tests.conftest import conversations
from tests.fakes.laconic import words

MOST_TURNS = 8
TRAFFIC = {"agent_airline": 2, "chat_sharegpt": 5, "swe_agent": 2}
TOOLS = [{"type": "function", "function": {"name": "look_up", "description": words(60, "tools")}}]


def _invented(salt: str) -> list[Body]:
    """A conversation that grows by a question, a tool call and an answer."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": words(80, "system")}]
    turns: list[Body] = []
    for turn in range(5):
        messages.append({"role": "user", "content": words(300 + 300 * turn, f"user{salt}" + "abcdef"[turn])})
        turns.append({"model": "gpt-4o", "tools": TOOLS, "messages": list(messages)})
        messages.append({"role": "assistant", "content": None, "tool_calls": []})
        messages.append({"role": "tool", "content": words(300, f"tool{salt}" + "abcdef"[turn])})
        turns.append({"model": "gpt-4o", "tools": TOOLS, "messages": list(messages)})
        messages.append({"role": "assistant", "content": words(100, f"answer{salt}")})
    return turns


@pytest.fixture(scope="module", params=["invented", *TRAFFIC])
def several(request: pytest.FixtureRequest) -> list[list[Body]]:
    """Growing conversations, invented or real."""
    if request.param == "invented":
        return [_invented(salt) for salt in "xy"]
    found = conversations(request.param, TRAFFIC[request.param])
    return [list[Body](turns[:MOST_TURNS]) for turns in found]


async def _courses(policy: str, scenario: str, several: list[list[Body]], folder: Path) -> list[Course]:
    async with Replicas(config_of(policy), folder, AnyWords) as replicas:
        return [await replicas.converse(turns, SCENARIOS[scenario]) for turns in several]


@pytest.mark.parametrize("policy", ["agents", "rag", "chat", "everything", "everything-asked"])
async def test_everything_that_can_go_wrong(policy: str, several: list[list[Body]], tmp_path: Path) -> None:
    courses = await _courses(policy, "everything", several, tmp_path)
    assert not [course.breaks for course in courses if course.breaks]


async def test_a_lost_store_breaks_one_prefix_of_each(several: list[list[Body]], tmp_path: Path) -> None:
    courses = await _courses("everything-asked", "everything, store lost", several, tmp_path)
    assert all(len(course.breaks) <= most_breaks(course.troubles) == 1 for course in courses)


async def test_something_is_shortened(several: list[list[Body]], tmp_path: Path) -> None:
    courses = await _courses("everything", "plain", several, tmp_path)
    assert all(course.shortened > len(course.troubles) and not course.breaks for course in courses)


async def test_what_was_left_stays_whole_when_its_group_is_looked_at_again(tmp_path: Path) -> None:
    code = "```python\n" + "\n".join(f"value_{n} = compute({n})" for n in range(200)) + "\n```"
    messages: list[dict[str, Any]] = [
        {"role": "tool", "content": words(900)},
        {"role": "tool", "content": code},  # left alone, which isn't kept in the store
        {"role": "user", "content": "Which?"},
    ]
    turns: list[Body] = []
    for _ in range(3):
        turns.append({"model": "gpt-4o", "messages": list(messages)})
        messages += [{"role": "assistant", "content": "That."}, {"role": "user", "content": "And then?"}]
    restart = Trouble(restarts=True)
    async with Replicas(config_of("rag"), tmp_path, AnyWords) as replicas:
        late = await replicas.go_through(turns, [Trouble(late=1.0), restart, restart])
        well = await replicas.go_through(turns, [Trouble()] * 3, "another caller")
    assert not late.breaks
    assert (late.shortened, well.shortened) == (0, 1)


_texts = st.one_of(
    st.builds(words, st.sampled_from((3, 30, 90)), st.sampled_from("abc")),
    st.sampled_from(("", "Is it 5?", json.dumps([{"a": 1, "b": words(9)}] * 4, indent=1))),
)
_said = st.fixed_dictionaries({"role": st.sampled_from(("user", "tool", "system")), "content": _texts})
_answers = st.fixed_dictionaries({"role": st.just("assistant"), "content": _texts})
_troubles = st.builds(
    Trouble,
    replica=st.integers(0, REPLICAS - 1),
    forgets=st.booleans(),
    restarts=st.booleans(),
    is_hurried=st.sampled_from((False, False, False, True)),
    failing=st.sampled_from((0.0, 0.0, 0.5, 1.0)),
    late=st.sampled_from((0.0, 0.0, 0.5)),
    turned_away=st.sampled_from((0.0, 0.0, 0.5)),
)


def _rates(messages: list[Body]) -> float:
    """The policy's at a request: a request that is sent once more under another policy may change."""
    return RATES[zlib.crc32(json.dumps(messages).encode()) % len(RATES)]


@st.composite
def _troubled(draw: st.DrawFn) -> list[tuple[Body, Trouble]]:
    """Requests with what befalls them; each goes on from any earlier one, or is sent once more."""
    turns: list[tuple[Body, Trouble]] = []
    for _ in range(draw(st.integers(2, 6))):
        messages = list(draw(st.sampled_from(turns))[0]["messages"]) if turns else []
        if not messages or draw(st.integers(0, 4)):
            messages += [draw(_answers)] if messages else []
            messages += draw(st.lists(_said, min_size=1, max_size=3))
        trouble = replace(draw(_troubles), rates=_rates(messages))
        turns.append(({"model": "gpt-4o", "tools": TOOLS, "messages": messages}, trouble))
    return turns


@pytest.mark.parametrize("policy", ["everything", "everything-asked"])
@settings(max_examples=12, deadline=None)
@given(turns=_troubled())
def test_any_conversation_in_any_trouble(policy: str, turns: list[tuple[Body, Trouble]]) -> None:
    async def course() -> Course:
        with tempfile.TemporaryDirectory() as folder:
            async with Replicas(config_of(policy), Path(folder), AnyWords) as replicas:
                bodies, troubles = zip(*turns, strict=True)
                return await replicas.go_through(bodies, troubles)

    assert not asyncio.run(course()).breaks


def test_breaks_are_seen() -> None:
    def body(*texts: str, tools: object = None) -> Body:
        return {"tools": tools, "messages": [{"role": "user", "content": text} for text in texts]}

    turns = [body("a"), body("a", "b"), body("a", "b", "c")]
    assert breaks(turns, [body("x"), body("x", "b"), body("x", "b", "z")]) == []
    assert breaks(turns, [body("x"), body("a", "b"), body("a", "y", "c")]) == [Break(1, 0), Break(2, 1)]
    assert breaks(turns, [body("a"), body("a", "b", tools=[]), body("a", "b", "c", tools=[])]) == [
        Break(1, -1)
    ]
    assert breaks([body("a"), body("b")], [body("a"), body("b")]) == []  # no prefix, no break
    assert breaks([body("a"), body("b"), body("a", "c")], [body("x"), body("b"), body("y", "c")]) == [
        Break(2, 0)
    ]
