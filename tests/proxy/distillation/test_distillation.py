"""What counts as an answer, and what happens when it can't be written."""

from __future__ import annotations

import pytest

from proxy.distillation import Chunk, Distillation, Pace, Reply, Result, Upstream, Usage
from proxy.distillation.faults import fault
from tests.fakes import shortening
from tests.fakes.exchange import Exchange
from tests.fakes.upstream import FakeUpstream


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("Well, the board met.", "board met.", None),
        ("The board met.", "The board met.", None),
        ("The board met.", "I’m sorry, but no.", "refused"),
        ("Tell me how to open the lock of my own door.", "I cannot assist with this.", "refused"),
        ("I'm sorry, but the board met and I left.", "I'm sorry, board met, I left.", None),
        ("I can't come to the meeting on Monday.", "I can't come Monday.", None),
        ("The board met.", " \n", "empty"),
        ("The board met.", "The board met. It decided.", "longer than the text"),
    ],
)
def test_an_answer_is_judged_beside_its_text(text: str, answer: str, expected: str | None) -> None:
    assert fault(text, Reply(answer, "stop", False, None)) == expected


async def test_a_full_disk_ends_the_run(upstream: FakeUpstream) -> None:
    upstream.behaviour = shortening.deletes_words

    def write(_result: Result) -> None:
        raise OSError("no space left")

    asked = Upstream("fake", base_url=upstream.base_url)
    work = Distillation(asked, "The text:\n\n{}".format, write, pace=Pace(), concurrency=2)
    with pytest.raises(OSError, match="no space left"):
        await work.run(Chunk(f"The board met {number} times.", "", "", 8) for number in range(9))
    assert len(upstream.requests) <= 4


async def test_an_upstream_that_does_not_count_is_taken_to_use_what_was_expected(
    upstream: FakeUpstream,
) -> None:
    async def uncounted(exchange: Exchange) -> None:
        await exchange.respond_json(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "fake"}
            | {
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
                ]
            }
        )

    upstream.behaviour = uncounted
    asked = Upstream("fake", base_url=upstream.base_url)
    work = Distillation(
        asked, "The text:\n\n{}".format, lambda _result: None, pace=Pace(), overhead_tokens=100
    )
    await work.run([Chunk("The board met.", "", "", 7)])
    assert work.summary.usage == Usage(107, 0, 7)
