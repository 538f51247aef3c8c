"""Conversations as stores hold them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.skip import Skip
from proxy.store.conversation import ADOPTED, Conversation, Era, Terms, begun
from proxy.store.decision import Decision

TERMS = st.builds(Terms, st.binary(min_size=16, max_size=16), st.booleans())
ERAS = st.lists(st.builds(Era, st.integers(0, 2**32 - 1), TERMS, st.booleans()), min_size=1, max_size=5)
OF_THE_MOMENT = [reason for reason in Skip if reason.is_of_the_moment]
LEFT = st.dictionaries(st.integers(0, 2**32 - 1), st.sampled_from(OF_THE_MOMENT), max_size=5)


@given(eras=ERAS, left=LEFT)
def test_what_is_written_is_read(eras: list[Era], left: dict[int, Skip]) -> None:
    conversation = Conversation(tuple(eras)).with_left(left)
    data = conversation.encode()
    assert Conversation.decode(data) == conversation
    with pytest.raises(ValueError, match="decision format"):
        Decision.decode(data.ljust(64, b"-"))


@given(st.binary(max_size=60))
@example(b"\x02\x00\x01")  # cut off behind the number of eras
def test_anything_else_is_refused(data: bytes) -> None:
    try:
        conversation = Conversation.decode(data)
    except ValueError:
        return
    assert Conversation.decode(conversation.encode()) == conversation


def test_eras_follow_each_other() -> None:
    old, new = Terms(b"o" * 16), Terms(b"n" * 16)
    conversation = begun(ADOPTED).continued(None, 3, old).continued(None, 4, old).continued(6, 8, new)
    assert conversation.eras == (Era(0, ADOPTED), Era(3, old), Era(6, new, closed=True), Era(8, new))
    assert [conversation.era(group).terms for group in (0, 2, 3, 5, 6, 9)] == [
        ADOPTED,
        ADOPTED,
        old,
        old,
        new,
        new,
    ]
