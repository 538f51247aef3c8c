"""What an arrival group says about its texts, now and on every later turn."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.groups import Text, arrival_groups, arrivals, settings
from policies.rules import Documents

AUTO = Documents()
BODY = "The town has an old harbour, a market and a bridge that nobody crosses after dark any more. " * 3
NUMBERED = "\n".join(f"[{number}] {BODY}" for number in range(1, 4))


def texts(*messages: tuple[str, str]) -> list[Text]:
    groups = arrival_groups([role for role, _ in messages])
    return [Text(role, text, group) for (role, text), group in zip(messages, groups, strict=True)]


def questions(*messages: tuple[str, str]) -> list[str]:
    request = texts(*messages)
    found = settings(request, {text.group for text in request}, AUTO)
    return [found[text].question for text in request]


def test_results_of_tools_are_read_for_the_question_before_them() -> None:
    asked = questions(
        ("user", "first question"), ("assistant", "calls"), ("tool", "result"), ("assistant", "answer"),
        ("user", "second question"), ("assistant", "calls"), ("tool", "another result"),
    )  # fmt: skip
    assert asked[2] == "first question"
    assert asked[6] == "second question"


def test_no_text_is_its_own_question() -> None:
    assert questions(("system", "be brief"), ("user", "a long text")) == ["a long text", ""]


def test_another_user_text_of_the_group_is_the_question() -> None:
    assert questions(("user", NUMBERED), ("user", "what is there?")) == ["what is there?", NUMBERED]


def test_a_question_beside_the_documents_comes_first() -> None:
    prompt = f"Use these.\n\n{NUMBERED}\n\nQuestion: who crosses the bridge?\nAnswer:"
    assert questions(("user", prompt), ("user", "thanks"))[0] == "who crosses the bridge?"


def test_documents_in_the_system_message_are_read_for_the_users_question() -> None:
    request = texts(
        ("system", f"Answer from this context:\n\n{NUMBERED}"), ("user", "who crosses the bridge?")
    )
    found = settings(request, {0}, AUTO)
    assert found[request[0]].question == "who crosses the bridge?"
    assert len(found[request[0]].found.documents) == 3


@pytest.mark.parametrize(("results", "bundled"), [(1, False), (3, True)])
def test_several_results_are_one_bundle(results: int, bundled: bool) -> None:
    request = texts(("user", "q"), ("assistant", ""), *(("tool", f"{n} {BODY}") for n in range(results)))
    found = settings(request, {1}, AUTO)
    assert all(setting.bundled is bundled for setting in found.values())
    assert not any(setting.bundled for setting in settings(request, {1}, None).values())


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["system", "user", "assistant", "tool"]), st.sampled_from(["a", NUMBERED, BODY, "b?"])
    ),
    max_size=10,
)


@given(messages=MESSAGES, length=st.integers(0, 10))
def test_later_turns_change_nothing(messages: list[tuple[str, str]], length: int) -> None:
    early: list[Any] = messages[:length]
    if len(early) == len(messages) or (
        early and messages[length][0] != "assistant" and early[-1][0] != "assistant"
    ):
        early = messages  # only an assistant's message ends a group
    before, after = texts(*early), texts(*messages)
    assert after[: len(before)] == before
    groups = {text.group for text in before}
    assert settings(before, groups, AUTO) == {
        text: setting for text, setting in settings(after, groups, AUTO).items() if text in before
    }
    assert arrivals(after)[: len(arrivals(before))] == arrivals(before)
