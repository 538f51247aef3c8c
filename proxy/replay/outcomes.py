"""What became of each request and what it costs: numbers and names, never a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from policies.economics import Bill, Biller, Turn
from proxy.replay.conversations import Conversation
from proxy.replay.run import Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request under one configuration."""

    turn: int
    status: int
    error: str
    """Code of the error that a refused request got; else empty."""
    policy: str
    saved_tokens: int
    """Of the message texts, as laconic counts them."""
    compress_ms: float | None
    """None where no text was looked at."""
    skips: Mapping[str, int]
    """Texts left as they were, by reason."""
    bills: Mapping[str, Bill]
    """By the name of the model that it is billed as."""

    @property
    def is_refused(self) -> bool:
        """Whether it never reached the upstream."""
        return self.error != ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One conversation under one configuration."""

    run: str
    """Digest of all that its outcomes depend on."""
    traffic: str
    conversation: str
    outcomes: tuple[Outcome, ...]


REPLAYED: TypeAdapter[Replayed] = TypeAdapter(Replayed)
"""To JSON and back."""


def outcomes(
    conversations: Sequence[Conversation],
    replies: Sequence[Sequence[Reply]],
    times: Sequence[Sequence[float]],
    billers: Mapping[str, Biller],
) -> list[tuple[Outcome, ...]]:
    """The outcome of each request, by conversation; raises `UnknownPriceError`."""
    turns = [
        [
            Turn(request.body, reply.sent, at_s)
            for request, reply, at_s in zip(conversation.requests, some, when, strict=True)
        ]
        for conversation, some, when in zip(conversations, replies, times, strict=True)
    ]
    bills = {name: biller.bill(turns) for name, biller in billers.items()}
    return [
        tuple(
            _outcome(request.turn, reply, {name: bill[number][place] for name, bill in bills.items()})
            for place, (request, reply) in enumerate(zip(conversation.requests, replies[number], strict=True))
        )
        for number, conversation in enumerate(conversations)
    ]


def _outcome(turn: int, reply: Reply, bills: Mapping[str, Bill]) -> Outcome:
    headers = reply.headers
    took = headers.get("x-laconic-compress-ms")
    return Outcome(
        turn=turn,
        status=reply.status,
        error=reply.error,
        policy=headers.get("x-laconic-policy", ""),
        saved_tokens=int(headers.get("x-laconic-saved-tokens", 0)),
        compress_ms=float(took) if took is not None else None,
        skips=_skips(headers.get("x-laconic-skipped", "")),
        bills=bills,
    )


def _skips(header: str) -> dict[str, int]:
    pairs: list[Any] = [part.strip().rpartition("=") for part in header.split(",") if part.strip()]
    return {reason: int(count) for reason, _, count in pairs}
