"""Bills for recorded conversations, turn by turn: as they came and as they were sent, side by side.

Only input is billed: what a model answers doesn't depend on who reads the bill. Knows no files and no sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.economics.cache import PromptCache
from policies.economics.facts import ModelFacts, Usage
from policies.economics.prompt import Prompt, Renderer
from policies.tokens import encoding_name, tokenizer

Body = Mapping[str, Any]
GAP_S = 30.0


class UnknownPriceError(ValueError):
    """A model of which no price is known; the message names it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a conversation."""

    original: Body
    sent: Body | None
    """None where it was refused: it is billed as it came, for it has to be sent again."""
    at_s: float
    """When it was sent, in seconds of any clock."""


@dataclass(frozen=True, slots=True)
class PrefixBreak:
    """The first message in which a request doesn't go on where the one before ended, although the original does."""

    message: int
    """Its number; -1 for the tools."""
    role: str


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request costs, as it came and as it was sent."""

    model: str
    original: Usage
    original_usd: float
    sent: Usage
    sent_usd: float
    prefix_break: PrefixBreak | None


class Biller:
    """Bills conversations as the providers of their models would.

    `facts_of` gives the facts for a request's `model`. Each model has a cache of its own, cold for each conversation;
    with `shared`, all conversations share it. Texts are counted in the model's own encoding where tiktoken has it,
    else in `o200k_base`.
    """

    def __init__(self, facts_of: Callable[[str], ModelFacts], *, shared: bool = False) -> None:
        self._facts_of = facts_of
        self._shared = shared
        self._renderers: dict[str, Renderer] = {}

    def bill(self, conversations: Sequence[Sequence[Turn]]) -> list[list[Bill]]:
        """A bill for each turn; raises `UnknownPriceError`.

        The turns of a conversation must be in the order of their times. Shared caches see all turns in that order.
        """
        provider = _Provider()
        ledgers = [_Ledger(provider if self._shared else _Provider()) for _ in conversations]
        order = [
            (turn.at_s, n, place) for n, turns in enumerate(conversations) for place, turn in enumerate(turns)
        ]
        bills: list[list[Bill]] = [[] for _ in conversations]
        for _, number, place in sorted(order):
            turn = conversations[number][place]
            facts = self._facts_of(str(turn.original.get("model", "")))
            original = self._prompt(turn.original, facts)
            sent = self._prompt(turn.sent, facts) if turn.sent is not None else None
            bills[number].append(ledgers[number].enter(facts, original, sent, turn.at_s))
        return bills

    def _prompt(self, body: Body, facts: ModelFacts) -> Prompt:
        encoding = encoding_name(facts.model)
        if encoding not in self._renderers:
            self._renderers[encoding] = Renderer(tokenizer(encoding))
        return self._renderers[encoding].prompt(body)


class _Provider:
    """The caches of one provider, twice: had the requests come as they were, and as they did come."""

    def __init__(self) -> None:
        self._caches: dict[tuple[str, bool], PromptCache] = {}

    def take(self, facts: ModelFacts, prompt: Prompt, at_s: float, *, sent: bool) -> tuple[Usage, float]:
        if facts.price is None:
            raise UnknownPriceError(f"no price is known of the model {facts.model!r}")
        cache = self._caches.setdefault((facts.model, sent), PromptCache(facts.caching))
        usage = cache.take(prompt, at_s)
        return usage, facts.price.cost_usd(usage)


class _Ledger:
    """The bills of one conversation, and its previous turn."""

    def __init__(self, provider: _Provider) -> None:
        self._provider = provider
        self._previous: tuple[Prompt, Prompt] | None = None

    def enter(self, facts: ModelFacts, original: Prompt, sent: Prompt | None, at_s: float) -> Bill:
        before, before_usd = self._provider.take(facts, original, at_s, sent=False)
        after, after_usd = self._provider.take(facts, sent or original, at_s, sent=True)
        prefix_break = None
        if sent is not None:
            prefix_break = self._break(original, sent)
            self._previous = (original, sent)
        return Bill(facts.model, before, before_usd, after, after_usd, prefix_break)

    def _break(self, original: Prompt, sent: Prompt) -> PrefixBreak | None:
        if self._previous is None or self._previous[0].first_difference(original) is not None:
            return None
        difference = self._previous[1].first_difference(sent)
        return PrefixBreak(*difference) if difference is not None else None


def bill_bodies(
    conversations: Sequence[Sequence[tuple[Body, Body | None]]],
    facts_of: Callable[[str], ModelFacts],
    *,
    gap_s: float = GAP_S,
    shared: bool = False,
) -> list[list[Bill]]:
    """Bills for conversations of (original body, sent body), whoever made the latter; raises `UnknownPriceError`.

    One request follows the other after `gap_s` seconds, one conversation the other likewise.
    """
    clock = _clock(gap_s)
    turns = [
        [Turn(original, sent, next(clock)) for original, sent in conversation]
        for conversation in conversations
    ]
    return Biller(facts_of, shared=shared).bill(turns)


def _clock(gap_s: float) -> Iterator[float]:
    at_s = 0.0
    while True:
        yield at_s
        at_s += gap_s
