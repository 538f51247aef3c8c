"""What of a request becomes which tokens, and where two requests part."""

from __future__ import annotations

import pytest

from policies.economics.prompt import Renderer
from policies.tokens import tokenizer
from tests.policies.economics.bodies import FRAME_TOKENS, body, marked, message

RENDERER = Renderer(tokenizer("o200k_base"))


def test_a_message_is_its_text_and_a_frame() -> None:
    prompt = RENDERER.prompt(body(message("user", 100)))
    assert (len(prompt.ids), prompt.ends, prompt.roles) == (100, (100,), ("user",))


def test_tools_come_first_and_calls_and_parts_are_blocks() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    request = body(
        marked("user", 20), {"role": "assistant", "content": None, "tool_calls": [call, call]}, tools=[tool]
    )
    prompt = RENDERER.prompt(request)
    assert [block.message for block in prompt.blocks] == [-1, 0, 1, 1]
    assert [block.mark_s for block in prompt.blocks] == [None, 0, None, None]
    assert prompt.last_block_of_tools() == 0


def test_a_mark_is_no_text() -> None:
    plain = {"type": "function", "function": {"name": "look"}}
    tools = [[plain], [plain | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]]
    first, second = (RENDERER.prompt(body(message("user", 20), tools=some)) for some in tools)
    assert first.ids.tolist() == second.ids.tolist()
    assert second.blocks[0].mark_s == 3600


def test_an_image_counts_the_same_each_time_and_differs_from_another() -> None:
    def shown(url: str) -> list[int]:
        content = [{"type": "image_url", "image_url": {"url": url}}]
        ids: list[int] = RENDERER.prompt(body({"role": "user", "content": content})).ids.tolist()
        return ids

    assert len(shown("a")) == 85 + FRAME_TOKENS
    assert shown("a") == shown("a") != shown("b")


@pytest.mark.parametrize("request_", [{}, {"messages": 5, "tools": {}}, body({"role": 3, "content": 4})])
def test_what_has_no_shape_is_left_out(request_: dict[str, object]) -> None:
    assert len(RENDERER.prompt(request_).ids) <= FRAME_TOKENS


def test_the_first_difference_is_named() -> None:
    one, two = message("system", 50), message("user", 50)
    first = RENDERER.prompt(body(one, two))
    assert first.first_difference(RENDERER.prompt(body(one, two, message("assistant", 9)))) is None
    assert first.first_difference(RENDERER.prompt(body(one, message("user", 50, " blue")))) == (1, "user")
    assert first.first_difference(RENDERER.prompt(body(one))) == (0, "system")
    tool = {"type": "function", "function": {"name": "look"}}
    assert first.first_difference(RENDERER.prompt(body(one, two, tools=[tool]))) == (-1, "tools")


def test_a_text_that_goes_on_is_a_difference() -> None:
    first = RENDERER.prompt(body(message("user", 50)))
    assert first.first_difference(RENDERER.prompt(body(message("user", 60)))) == (0, "user")
