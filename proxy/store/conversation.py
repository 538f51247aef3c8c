"""What is remembered of a conversation: under which terms each stretch of it was decided. Holds digests, never a text.

Texts are remembered one by one; a conversation is remembered so that the same text can have been sent shortened in
one and as it came in another, and so that a changed policy leaves what was sent under the old one alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

_VERSION = 2  # decisions have 1
_ERA = struct.Struct("<I16sB")
_BY_GROUP, _CLOSED = 1, 2


class Terms(NamedTuple):
    """All that a text's decision depends on beside the text, as a digest of 16 bytes."""

    digest: bytes
    by_group: bool = False
    """Whether a decision also depends on what arrived together with the text."""


ADOPTED = Terms(bytes(16))
"""Sent as it came, before the conversation was known here."""
HELD_OUT = Terms(b"\xff" * 16)
"""Sent as it came, because savings are measured against this conversation."""


class Era(NamedTuple):
    """A stretch of arrival groups, from `start` to the next era's."""

    start: int
    terms: Terms
    closed: bool = False
    """Whether only decisions that are remembered apply; what has none goes as it came, and must go on to."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The eras of a conversation, as it stood when one of its arrival groups came."""

    eras: tuple[Era, ...]

    @property
    def held_out(self) -> bool:
        """Whether savings are measured against it."""
        return self.eras[-1].terms == HELD_OUT

    def era(self, group: int) -> Era:
        """The era that arrival group number `group` belongs to."""
        return next(era for era in reversed(self.eras) if era.start <= group or era is self.eras[0])

    def continued(self, missed: int | None, group: int, terms: Terms) -> Conversation:
        """The conversation once `group` has arrived under `terms`; groups from `missed` on passed elsewhere."""
        eras = [era for era in self.eras if era.start < group] or []
        if missed is not None:
            eras = [era for era in eras if era.start < missed] + [Era(missed, terms, closed=True)]
        if not eras or eras[-1].terms != terms or eras[-1].closed:
            eras.append(Era(group, terms))
        return Conversation(tuple(eras))

    @property
    def size_bytes(self) -> int:
        """Roughly the memory that it takes."""
        return 300 + 150 * len(self.eras)

    @property
    def is_durable(self) -> bool:
        """It can't be had again."""
        return True

    def encode(self) -> bytes:
        """The bytes that stores hold."""
        eras = (
            _ERA.pack(era.start, era.terms.digest, era.terms.by_group * _BY_GROUP | era.closed * _CLOSED)
            for era in self.eras
        )
        return bytes([_VERSION]) + b"".join(eras)

    @classmethod
    def decode(cls, data: bytes) -> Conversation:
        """Read what `encode` wrote; raises ValueError for anything else."""
        if data[:1] != bytes([_VERSION]) or len(data) <= 1:
            raise ValueError("not a conversation")
        try:
            eras = tuple(
                Era(start, Terms(digest, bool(flags & _BY_GROUP)), bool(flags & _CLOSED))
                for start, digest, flags in _ERA.iter_unpack(data[1:])
            )
        except struct.error as error:
            raise ValueError(f"not a conversation: {error}") from error
        return cls(eras)


def begun(terms: Terms) -> Conversation:
    """A conversation all of which is under `terms`."""
    return Conversation((Era(0, terms),))
