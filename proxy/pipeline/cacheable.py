"""Keeps a conversation long enough for its provider to cache.

Providers cache prefixes from some length on, 1,024 tokens as a rule. A prompt that shortening takes below it costs less
on this turn, and on each later one the full price of what would have been read at a tenth or half of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from policies.groups import Text
from proxy.store.decision import Decision

# That a token has on average, and at the most. What isn't counted is rather taken for too short.
_CHARACTERS, _MOST_CHARACTERS = 4, 6


def is_too_short(texts: Sequence[Text], minimum_tokens: int, around_characters: int) -> bool:
    """Whether a request seems to have fewer tokens than that even if nothing is shortened; counts none."""
    characters = around_characters + sum(len(text.text) for text in texts)
    plain = all(text.text.isascii() for text in texts)
    return characters < minimum_tokens * (_CHARACTERS if plain else 1)


def left_to_be_cached(
    texts: Sequence[Text],
    decisions: Sequence[Decision],
    new: Collection[int],
    minimum_tokens: int,
    around_characters: int,
) -> list[int]:
    """The places among `new` texts that go as they came, so that at least `minimum_tokens` are sent in all.

    Those with the smallest savings come first. `around_characters` is the length of the rest of the request.
    """
    total = around_characters // _MOST_CHARACTERS + sum(
        decision.sent_tokens or len(text.text) // _MOST_CHARACTERS
        for text, decision in zip(texts, decisions, strict=True)
    )
    savings = sorted(
        (decisions[place].original_tokens - decisions[place].sent_tokens, place)
        for place in new
        if decisions[place].original_tokens > decisions[place].sent_tokens
    )
    left = []
    for saved, place in savings:
        if total >= minimum_tokens:
            break
        left.append(place)
        total += saved
    return left
