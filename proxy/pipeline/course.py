"""Under which terms each part of a conversation was, and is to be, decided.

This is where it is settled what happens to messages that were sent before: by others, under a policy that has
changed since, or while a store that is now lost still knew them.
"""

from __future__ import annotations

from policies.skip import Skip
from proxy.pipeline.history import History
from proxy.pipeline.order import Order
from proxy.pipeline.recall import Recall
from proxy.store.conversation import ADOPTED, HELD_OUT, Conversation, begun

_AS_IT_CAME = {ADOPTED: Skip.ADOPTED, HELD_OUT: Skip.HOLDOUT}


async def conversation_of(history: History, recall: Recall, order: Order) -> Conversation:
    """The conversation that a request goes on with, its newest group included.

    Every request's conversation is remembered as it stood, so the request before this one is known by all that
    was said up to then. Where no such request is known, the conversation was running elsewhere, or the store lost
    it, or earlier messages were rewritten. Nobody can tell which. To shorten its messages now would certainly
    break a prefix that a provider has just cached uncompressed in the first case, and might save a break in the
    second, so they are left as they came (unless the policy adopts all): a lost store breaks each running
    conversation's prefix once at most, and laconic's arrival none. Only while the store is down, and may well know
    the conversation, is it taken for known: most decisions come out the same again.
    """
    last = history.last
    moments = (history.turns[last], *history.halfway)
    here = next((known for key in moments if (known := recall.conversation(key)) is not None), None)
    if last == history.first:
        # All conversations that begin so may stand here: the newest policy counts, though one of them that goes on
        # under an older one is then decided anew.
        terms = HELD_OUT if share_of(history) < order.policy.holdout else order.terms
        return here if here is not None and here.era(last).terms == terms else begun(terms)
    groups = list(history.turns)
    before = recall.conversation(history.turns[groups[-2]])
    if here is not None and (before is None or here.goes_on_from(before, last)):
        repeated = here.era(last).is_as_it_came or here.era(last).terms == order.terms
        return here if repeated else here.continued(None, last, order.terms)
    if before is None:
        await recall.ask(history.turns.values())
    for place in reversed(range(len(groups) - 1)):
        before = recall.conversation(history.turns[groups[place]])
        if before is not None:
            missed = groups[place + 1] if groups[place + 1] != last else None
            return before.continued(missed, last, HELD_OUT if before.held_out else order.terms)
    if share_of(history) < order.policy.holdout:
        return begun(HELD_OUT)
    adopts = order.policy.adopt == "all" or not recall.is_reliable
    return begun(order.terms if adopts else ADOPTED)


def share_of(history: History) -> float:
    """Where the conversation's first group puts it among all, evenly in [0, 1)."""
    return int.from_bytes(history.turns[history.first][:8], "little") / 2**64


def cluster_of(history: History) -> int:
    """Which random group of conversations this one belongs to, in [0, 256), whatever its share."""
    return history.turns[history.first][8]


def sent_as_it_came(conversation: Conversation, history: History) -> dict[int, Skip]:
    """The places of texts that the conversation has sent, or is to send, as they came, and why."""
    by_era: dict[int, Skip] = {}
    if any(era.is_as_it_came for era in conversation.eras):
        by_era = {
            place: _AS_IT_CAME[era.terms]
            for place, text in enumerate(history.texts)
            if (era := conversation.era(text.group)).is_as_it_came
        }
    left = ((history.place(number), reason) for number, reason in conversation.left)
    return by_era | {place: reason for place, reason in left if place is not None}
