"""One request between what is remembered and what is sent: all that can be said of its texts without a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policies.skip import Skip
from proxy.pipeline.cacheable import is_too_short, left_to_be_cached
from proxy.pipeline.history import History
from proxy.pipeline.order import Order
from proxy.pipeline.recall import Recall
from proxy.pipeline.verdicts import as_it_came
from proxy.pipeline.work import at_a_glance
from proxy.store.conversation import Conversation
from proxy.store.decision import Decision

Keys = Mapping[int, tuple[bytes, ...]]
"""For the place of each text the keys under which its decision may stand; a new one is written under the last."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request's texts, the conversation that they are part of, and how they are to be shortened."""

    history: History
    conversation: Conversation
    keys: Keys
    order: Order
    left: Mapping[int, Skip]
    """The places of texts that the conversation sends as they came, and why."""
    around_characters: int
    """Length of what the request holds beside its texts."""

    def remembered(self, recall: Recall) -> dict[int, Decision]:
        """What is known already, and the places of the texts that go as they came."""
        known = {
            place: decision
            for place, keys in self.keys.items()
            if (decision := recall.decision(keys)) is not None
        }
        return known | {
            place: self._as_it_came(place, reason, known.get(place)) for place, reason in self.left.items()
        }

    def without_model(self, places: Iterable[int]) -> dict[int, Decision]:
        """Those of the unknown places that need no model to be decided."""
        short = is_too_short(self.history.texts, self.order.floor, self.around_characters)
        reasons = {place: self._why_left(place, short) for place in places}
        return {
            place: self._as_it_came(place, reason) for place, reason in reasons.items() if reason is not None
        }

    def long_enough(self, decisions: list[Decision]) -> list[Decision]:
        """The decisions, but for those that would make the conversation too short for the provider's cache."""
        too_dear = left_to_be_cached(
            self.history.texts,
            decisions,
            [place for place in range(len(decisions)) if self._is_new(place) and place not in self.left],
            self.order.floor,
            self.around_characters,
        )
        return [
            self._whole(place, decision) if place in too_dear else decision
            for place, decision in enumerate(decisions)
        ]

    def as_sent(self, decisions: Sequence[Decision]) -> Conversation:
        """The conversation once the request is sent with these decisions."""
        left = {
            self.history.number(place): decision.skip
            for place, decision in enumerate(decisions)
            if decision.skip is not None
            and decision.skip.is_of_the_moment
            and not self.conversation.era(self.history.texts[place].group).is_as_it_came
        }
        return self.conversation.with_left(left)

    def key_of(self, place: int, decision: Decision) -> bytes:
        """Under which key this worker may keep a counted decision."""
        if decision.skip is not None and decision.skip.is_of_the_moment:
            return self.history.key_as_it_came(place, self.order.plain)
        return self.keys[place][-1]

    def _why_left(self, place: int, short: bool) -> Skip | None:
        text = self.history.texts[place]
        era = self.conversation.era(text.group)
        if era.closed or era.terms != self.order.terms:
            return Skip.ADOPTED
        return at_a_glance(text, self.order) or (
            Skip.CACHE_MINIMUM if short and self._is_new(place) else None
        )

    def _whole(self, place: int, decision: Decision) -> Decision:
        """What is sent in place of a saving that would not pay."""
        whole = self._as_it_came(place, Skip.CACHE_MINIMUM)
        tokens = decision.original_tokens
        return whole.with_counts(tokens, tokens) if whole.spans is None else whole

    def _is_new(self, place: int) -> bool:
        return self.history.texts[place].group == self.history.last

    def _as_it_came(self, place: int, reason: Skip, known: Decision | None = None) -> Decision:
        return as_it_came(self.history.texts[place], reason, self.order.tags, known)
