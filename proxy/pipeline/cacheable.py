"""Keeps what a conversation saves from costing more in its provider's cache.

Providers cache prefixes from some length on, 1,024 tokens as a rule. A prompt that shortening takes below it costs less
on this turn, and on each later one the full price of what would have been read at a tenth or half of it. And where they
cache in steps, of 128 tokens as a rule, a shorter prefix may lose a step that the longer one filled: up to so many
tokens at the full price, more on some turns and less on others, against which a few saved ones count for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from policies.groups import Text
from proxy.pipeline.order import CacheFloor
from proxy.store.decision import Decision

# That a token has on average, and at the most. What isn't counted is rather taken for too short.
_CHARACTERS, _MOST_CHARACTERS = 4, 6
# That a conversation must save: so many outweigh the chance of a step on all but a few in ten thousand.
_STEPS = 2


def is_too_short(texts: Sequence[Text], floor: CacheFloor, around_characters: int) -> bool:
    """Whether a request seems to be shorter than that even if nothing is shortened; counts no token."""
    characters = around_characters + sum(len(text.text) for text in texts)
    plain = all(text.text.isascii() for text in texts)
    return characters < floor.minimum_tokens * (_CHARACTERS if plain else 1)


def left_to_be_cached(
    texts: Sequence[Text],
    decisions: Sequence[Decision],
    new: Collection[int],
    floor: CacheFloor,
    around_characters: int,
) -> set[int]:
    """The places among `new` texts that go as they came, so that the floor is kept.

    Those with the smallest savings come first. `around_characters` is the length of the rest of the request.
    """
    savings = {
        place: decisions[place].original_tokens - decisions[place].sent_tokens
        for place in new
        if decisions[place].original_tokens > decisions[place].sent_tokens
    }
    saved = sum(decision.original_tokens - decision.sent_tokens for decision in decisions)
    if saved < _STEPS * floor.step_tokens:
        return set(savings)
    total = around_characters // _MOST_CHARACTERS + sum(
        decision.sent_tokens or len(text.text) // _MOST_CHARACTERS
        for text, decision in zip(texts, decisions, strict=True)
    )
    left = set()
    for place in sorted(savings, key=lambda place: (savings[place], place)):
        if total >= floor.minimum_tokens:
            break
        left.add(place)
        total += savings[place]
    return left
