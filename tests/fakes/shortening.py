"""LLMs that were asked to shorten a text: one that deletes words by a rule, and others that misbehave.

Each is a behaviour of the fake upstream. Texts come behind the last blank line of laconic's own instruction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fakes import payloads
from tests.fakes.exchange import Exchange, Header

ARTICLES = frozenset(("the", "a", "an", "very", "really"))


def asked(exchange: Exchange) -> str:
    """The text to shorten."""
    message: str = exchange.request.json()["messages"][-1]["content"]
    return message.rpartition("The text:\n\n")[2]


def shortened(text: str) -> str:
    """What a well-behaved LLM leaves: no articles."""
    return " ".join(word for word in text.split() if word.lower() not in ARTICLES)


def answering(
    rule: Callable[[str], str | None], finish_reason: str = "stop", **message: Any
) -> Callable[[Exchange], Awaitable[None]]:
    """Answer by a rule from the text; with other fields in the message."""

    async def answer(exchange: Exchange) -> None:
        content = rule(asked(exchange))
        completion = payloads.completion(exchange.request)
        completion["choices"][0]["message"] |= {"content": content, **message}
        completion["choices"][0]["finish_reason"] = finish_reason
        completion["usage"] = payloads.usage(exchange.request, content or "")
        await exchange.respond_json(completion)

    return answer


deletes_words = answering(shortened)
adds_words = answering(lambda text: f"In short: {' '.join(text.split()[:3])}")
reorders = answering(lambda text: " ".join(reversed(shortened(text).split())))
refuses = answering(lambda _: "I'm sorry, but I can't help with that.")
refuses_formally = answering(lambda _: None, refusal="No.")
is_filtered = answering(lambda _: "", finish_reason="content_filter")
says_nothing = answering(lambda _: " \n")
is_cut_off = answering(lambda text: text[:10], finish_reason="length")
rambles = answering(lambda text: text + " And so on.")


class Failing:
    """Answers a status to the first requests, then deletes words."""

    def __init__(self, status: int, times: int, headers: list[Header] | None = None) -> None:
        self._left = times
        self._status = status
        self._headers = headers or []

    async def __call__(self, exchange: Exchange) -> None:
        if self._left > 0:
            self._left -= 1
            await exchange.respond_json(payloads.error(self._status), self._status, self._headers)
        else:
            await deletes_words(exchange)


class Counting:
    """Deletes words, slowly, and knows how many requests it answered at a time."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0

    async def __call__(self, exchange: Exchange) -> None:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.02)
        self._now -= 1
        await deletes_words(exchange)
