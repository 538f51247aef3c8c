"""Under which terms each part of a conversation was, and is to be, decided.

This is where it is settled what happens to messages that were sent before: by others, under a policy that has
changed since, or while a store that is now lost still knew them.
"""

from __future__ import annotations

from policies.plan import Skip
from proxy.pipeline.history import History
from proxy.pipeline.order import Order
from proxy.pipeline.recall import Recall
from proxy.store.conversation import ADOPTED, HELD_OUT, Conversation, Era, begun

_AS_IT_CAME = {ADOPTED: Skip.ADOPTED, HELD_OUT: Skip.HOLDOUT}
_CLUSTERS = 32


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
    if last == history.first:
        return begun(HELD_OUT if share_of(history) < order.policy.holdout else order.terms)
    here = recall.conversation(history.turns[last])
    if here is not None:
        repeated = here.era(last).terms in (*_AS_IT_CAME, order.terms)
        return here if repeated else here.continued(None, last, order.terms)
    groups = list(history.turns)
    if recall.conversation(history.turns[groups[-2]]) is None:
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
    """Which of 32 random groups of conversations this one belongs to."""
    return history.turns[history.first][8] % _CLUSTERS


def why_closed(era: Era, order: Order) -> Skip | None:
    """Why a text of `era` without a remembered decision is left as it came; None if it is to be decided now."""
    if era.terms in _AS_IT_CAME:
        return _AS_IT_CAME[era.terms]
    return Skip.ADOPTED if era.closed or era.terms != order.terms else None


def is_as_it_came(era: Era) -> bool:
    """Whether no text of `era` has ever been shortened."""
    return era.terms in _AS_IT_CAME
