"""Tool definitions go up as they came, or with shorter descriptions where a rule says so, the same on each turn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.config import Config
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, chat, config, words
from tests.fakes.upstream import FakeUpstream

TARGETS = [{"role": "tools", "rate": 0.5}, {"role": "user", "min_tokens": 20}]


def tool(name: str) -> dict[str, Any]:
    """A definition, with characters that its source escapes."""
    described = {"type": "string", "description": words(30, name) + ' "é" \n'}
    parameters = {"type": "object", "properties": {"x": described}, "required": ["x"]}
    return {
        "type": "function",
        "function": {"name": name, "description": words(30), "parameters": parameters},
    }


def send(laconic: Laconic, upstream: FakeUpstream, *texts: str, tools: list[Any] | None = None) -> Any:
    """The body as the upstream got it; the texts are the user's and the model's in turn."""
    messages = [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)]
    # Some clients name tools before the messages, others after them.
    request = {"model": "gpt-4o", "messages": messages} | ({"tools": tools} if tools else {})
    if len(texts) % 4 == 1:
        request = dict(reversed(request.items()))
    answer = chat(laconic, json.dumps(request).encode())
    assert answer.status == 200
    return json.loads(upstream.requests[-1].body)


def _served(upstream: FakeUpstream, **policy: Any) -> Config:
    return config(upstream.base_url, policy={"targets": TARGETS, **policy})


def _without_descriptions(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_descriptions(v) for k, v in value.items() if k != "description"}
    return [_without_descriptions(item) for item in value] if isinstance(value, list) else value


def test_descriptions_are_shortened_and_nothing_else(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    tools = [tool("a"), tool("b")]
    with Laconic(_served(upstream)) as laconic:
        first = send(laconic, upstream, "hi", tools=tools)
        second = send(laconic, upstream, "hi", "yes", "go on", tools=tools)
    assert first["tools"] == second["tools"]
    assert _without_descriptions(first["tools"]) == _without_descriptions(tools)
    assert len(json.dumps(first["tools"])) < 0.8 * len(json.dumps(tools))


def test_without_a_rule_they_stay(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        assert send(laconic, upstream, words(60), tools=[tool("a")])["tools"] == [tool("a")]


@pytest.mark.parametrize("order", ["tools first", "tools later"])
def test_what_failed_stays_whether_tools_came_or_not(
    upstream: FakeUpstream, compressor: EverySecondWord, order: str
) -> None:
    tools = [tool("a")] if order == "tools first" else None
    with Laconic(_served(upstream)) as laconic:
        compressor.error = RuntimeError()
        first = send(laconic, upstream, words(60), tools=tools)
        compressor.error = None
        second = send(laconic, upstream, words(60), "yes", words(60, "more"), tools=tools or [tool("a")])
    assert first["messages"][0]["content"] == second["messages"][0]["content"] == words(60)
    assert len(second["messages"][2]["content"]) < len(words(60, "more"))
    assert (second["tools"] == [tool("a")]) == (order == "tools first")


def test_other_tools_on_the_way_change_no_message(
    upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with Laconic(_served(upstream)) as laconic:
        first = send(laconic, upstream, words(60), tools=[tool("a")])
        second = send(laconic, upstream, words(60), "yes", words(60, "more"), tools=[tool("a"), tool("b")])
    assert second["messages"][0] == first["messages"][0]
    assert len(second["messages"][2]["content"]) < len(words(60, "more"))
