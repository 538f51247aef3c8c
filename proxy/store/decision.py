"""A remembered decision: which characters of a text are sent. Holds small integers, never a text."""

from __future__ import annotations

import hmac
import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

from policies.plan import Skip

_HEADER = struct.Struct(
    "<BBIIc"
)  # version, length of the reason, original tokens, sent tokens, width of the numbers
_VERSION = 1
_NO_SPANS = b"-"
_CHEAP = frozenset((Skip.OFF, Skip.ROLE, Skip.SHORT, Skip.PROTECTED))


@dataclass(frozen=True, slots=True)
class Decision:
    """What is sent of a text, counted in the upstream model's tokens.

    `bounds` holds start and end of each kept span in turn, ascending; None sends the text as it came.
    `skip` says why a text wasn't shortened; its markup may be stripped all the same.
    """

    original_tokens: int
    sent_tokens: int
    bounds: array[int] | None = None
    skip: Skip | None = None

    @classmethod
    def of_spans(
        cls,
        spans: Iterable[tuple[int, int]],
        original_tokens: int,
        sent_tokens: int,
        skip: Skip | None = None,
    ) -> Decision:
        """A decision to send the characters in `spans` (ascending, disjoint)."""
        return cls(original_tokens, sent_tokens, array("I", chain.from_iterable(spans)), skip)

    def render(self, text: str) -> str:
        """What is sent of `text`."""
        if self.bounds is None:
            return text
        bounds = iter(self.bounds)
        return "".join([text[start:end] for start, end in zip(bounds, bounds, strict=True)])

    @property
    def size_bytes(self) -> int:
        """Roughly the memory that it takes."""
        return 300 + (len(self.bounds) * self.bounds.itemsize if self.bounds else 0)

    @property
    def is_durable(self) -> bool:
        """Whether it can't be had again for the price of a token count."""
        return self.skip not in _CHEAP

    def encode(self) -> bytes:
        """The bytes that stores hold: a header, the reason, and the distances from bound to bound."""
        reason = (self.skip or "").encode()
        width, numbers = _NO_SPANS, b""
        if self.bounds is not None:
            steps = [b - a for a, b in pairwise(chain((0,), self.bounds))]
            width = b"H" if max(steps, default=0) < 2**16 else b"I"
            numbers = array(width.decode(), steps).tobytes()
        header = _HEADER.pack(_VERSION, len(reason), self.original_tokens, self.sent_tokens, width)
        return header + reason + numbers

    @classmethod
    def decode(cls, data: bytes) -> Decision:
        """Read what `encode` wrote; raises ValueError for anything else."""
        try:
            version, length, original, sent, width = _HEADER.unpack_from(data)
            if version != _VERSION:
                raise ValueError(f"decision format {version}, expected {_VERSION}")
            reason, numbers = (
                data[_HEADER.size : _HEADER.size + length].decode(),
                data[_HEADER.size + length :],
            )
            bounds = None
            if width != _NO_SPANS:
                steps = array(width.decode())
                steps.frombytes(numbers)
                bounds = array("I", accumulate(steps))
            return cls(original, sent, bounds, Skip(reason) if reason else None)
        except (struct.error, UnicodeDecodeError, OverflowError) as error:
            raise ValueError(f"not a decision: {error}") from error


class Keys:
    """Names decisions by a keyed hash, so that a store tells nothing about texts to who lacks the secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def digest(self, *parts: bytes) -> bytes:
        """HMAC-SHA256 over the parts and their lengths, 32 bytes."""
        lengths = struct.pack(f"<{len(parts)}Q", *map(len, parts))
        return hmac.digest(self._secret, b"".join((lengths, *parts)), "sha256")
