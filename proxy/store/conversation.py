"""What is remembered of a conversation: how each part of it was sent. Holds digests and places, never a text.

Decisions are remembered text by text and shared by conversations. A conversation is remembered so that the same text
can have been sent shortened in one and as it came in another, whose turn came while the model was busy or before
laconic was there; and so that a changed policy leaves what was sent under the old one alone.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from policies.skip import Skip

_VERSION = 2  # decisions have 1
_HEADER = struct.Struct("<BH")  # version, number of eras
_ERA = struct.Struct("<I16sB")
_LEFT = struct.Struct("<IB")
_BY_GROUP, _CLOSED = 1, 2
_REASONS = (
    Skip.DEADLINE, Skip.OVERLOADED, Skip.FAILED, Skip.NOT_READY, Skip.NOT_WORTH, Skip.ADOPTED,
    Skip.CACHE_MINIMUM,
)  # fmt: skip


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
    """Whether only decisions that are remembered apply; what has none goes as it came."""

    @property
    def is_as_it_came(self) -> bool:
        """Whether no text of it has ever been shortened."""
        return self.terms in (ADOPTED, HELD_OUT)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it stood when one of its arrival groups came."""

    eras: tuple[Era, ...]
    left: tuple[tuple[int, Skip], ...] = ()
    """Numbers of texts that went as they came for a reason of the moment; ascending."""

    @property
    def held_out(self) -> bool:
        """Whether savings are measured against it."""
        return self.eras[-1].terms == HELD_OUT

    def era(self, group: int) -> Era:
        """The era that arrival group number `group` belongs to."""
        return next((era for era in reversed(self.eras) if era.start <= group), self.eras[0])

    def goes_on_from(self, before: Conversation, group: int) -> bool:
        """Whether this is how `before` stands once `group` has arrived; else others began alike and went on so."""
        return tuple(era for era in self.eras if era.start < group) == before.eras and set(
            before.left
        ) <= set(self.left)

    def continued(self, missed: int | None, group: int, terms: Terms) -> Conversation:
        """The conversation once `group` has arrived under `terms`; groups from `missed` on passed elsewhere."""
        eras = [era for era in self.eras if era.start < (group if missed is None else missed)]
        if missed is not None:
            eras.append(Era(missed, terms, closed=True))
        if not eras or eras[-1].terms != terms or eras[-1].closed:
            eras.append(Era(group, terms))
        return replace(self, eras=tuple(eras))

    def with_left(self, numbers: Mapping[int, Skip]) -> Conversation:
        """The conversation with further texts that went as they came."""
        return replace(self, left=tuple(sorted((dict(self.left) | dict(numbers)).items())))

    @property
    def size_bytes(self) -> int:
        """Roughly the memory that it takes."""
        return 300 + 150 * len(self.eras) + 100 * len(self.left)

    def encode(self) -> bytes:
        """The bytes that stores hold."""
        eras = (
            _ERA.pack(era.start, era.terms.digest, era.terms.by_group * _BY_GROUP | era.closed * _CLOSED)
            for era in self.eras
        )
        left = (_LEFT.pack(place, _REASONS.index(reason)) for place, reason in self.left)
        return b"".join((_HEADER.pack(_VERSION, len(self.eras)), *eras, *left))

    @classmethod
    def decode(cls, data: bytes) -> Conversation:
        """Read what `encode` wrote; raises ValueError for anything else."""
        try:
            version, count = _HEADER.unpack_from(data)
            middle = _HEADER.size + count * _ERA.size
            if version != _VERSION or not count or len(data) < middle:
                raise ValueError("not a conversation")
            eras = tuple(
                Era(start, Terms(digest, bool(flags & _BY_GROUP)), bool(flags & _CLOSED))
                for start, digest, flags in _ERA.iter_unpack(data[_HEADER.size : middle])
            )
            left = tuple((place, _REASONS[code]) for place, code in _LEFT.iter_unpack(data[middle:]))
        except (struct.error, IndexError) as error:
            raise ValueError(f"not a conversation: {error}") from error
        return cls(eras, left)


def begun(terms: Terms) -> Conversation:
    """A conversation all of which is under `terms`."""
    return Conversation((Era(0, terms),))
