"""Arrival groups: what had arrived when a message first arrived, and what that says about its texts.

A group never changes once the next assistant message stands, so that what is decided from it is decided for
good. Knows roles, texts and the rules for documents; no policy, no compressor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from policies.documents import Found, find_in_group
from policies.rules import Documents
from policies.tool_definitions import TOOLS


class Text(NamedTuple):
    """A text of a request with the role of its message and the number of its arrival group."""

    role: str
    """That of its message; tool definitions, which come before all messages, have one of their own."""
    text: str
    group: int = 0
    marked: bool = False
    """Whether it lies before a `cache_control` mark: it must not depend on what is asked after it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a text's arrival group says about it."""

    found: Found
    """The documents in the text."""
    question: str
    """What it is read for; empty where nobody asked."""
    bundled: bool
    """Whether the whole text is one of several documents of its group, such as tool results."""


def arrival_groups(roles: Iterable[str]) -> list[int]:
    """Number each message by its arrival group: a maximal run of messages between two assistant messages.

    An assistant message belongs to the group that it answers.
    """
    groups, group, answered = [], 0, False
    for role in roles:
        if answered and role != "assistant":
            group += 1
        answered = role == "assistant"
        groups.append(group)
    return groups


def arrivals(texts: Sequence[Text]) -> list[tuple[int, ...]]:
    """For each group, in order, the places of all texts that decisions about its texts may depend on.

    These are the group's own texts, and before them the nearest earlier user text if the group has none.
    """
    found: list[tuple[int, ...]] = []
    last_user: tuple[int, ...] = ()
    for _, members in groupby(range(len(texts)), key=lambda place: texts[place].group):
        own = tuple(place for place in members if texts[place].role not in ("assistant", TOOLS))
        users = tuple(place for place in own if texts[place].role == "user")
        found.append(own if users else (*last_user, *own))
        last_user = users[-1:] or last_user
    return found


def settings(texts: Sequence[Text], groups: Collection[int], rule: Documents | None) -> dict[Text, Setting]:
    """What its group says about each message's text of `groups`; `rule` finds documents, without one there are none.

    `texts` are all of a request. The question is the one that stands beside the text's own documents or in
    another text of the group; else the last user text of the group, or the nearest earlier one; but no text is
    its own question. Marked texts are looked at by themselves.
    """
    result: dict[Text, Setting] = {}
    last_user = ""
    for number, group in groupby(texts, key=lambda text: text.group):
        members = [text for text in group if text.role != TOOLS]
        if number in groups:
            result |= _settings([text for text in members if not text.marked], last_user, rule)
            for text in members:
                if text.marked:
                    result |= _settings([text], "", rule)
        last_user = next((text.text for text in reversed(members) if text.role == "user"), last_user)
    return result


def _settings(members: Sequence[Text], last_user: str, rule: Documents | None) -> dict[Text, Setting]:
    found = _found(members, rule)
    asked = [
        text.text[slice(*own.question)] if own.question else ""
        for text, own in zip(members, found, strict=True)
    ]
    wholes = sum(_is_whole(text, own) for text, own in zip(members, found, strict=True))
    result: dict[Text, Setting] = {}
    for place, (text, own) in enumerate(zip(members, found, strict=True)):
        others = [t.text for at, t in enumerate(members) if t.role == "user" and at != place]
        general = others[-1] if others else ("" if text.role == "user" else last_user)
        question = asked[place] or next((q for q in asked if q), "") or general
        result[text] = Setting(own, question, wholes > 1 and _is_whole(text, own))
    return result


def _found(members: Sequence[Text], rule: Documents | None) -> list[Found]:
    if rule is None:
        return [Found((), None)] * len(members)
    return find_in_group([text.text for text in members], [text.role for text in members], rule)


def _is_whole(text: Text, found: Found) -> bool:
    return len(found.documents) == 1 and found.documents[0].span == (0, len(text.text))
