"""A remembered decision: which characters of a text are sent. Holds small integers, never a text."""

from __future__ import annotations

import copy
import hmac
import struct
from array import array
from collections.abc import Iterable
from itertools import accumulate, chain, pairwise
from operator import itemgetter

from policies.skip import Skip

_HEADER = struct.Struct(
    "<BBIIc"
)  # version, length of the reason, original tokens, sent tokens, width of the numbers
_VERSION = 1
_NO_SPANS = b"-"
_CHEAP = frozenset((Skip.OFF, Skip.ROLE, Skip.SHORT, Skip.PROTECTED))


class Decision:
    """What is sent of a text, counted in the upstream model's tokens; both counts are 0 until somebody has counted.

    `spans` are the kept characters, disjoint, and ascending unless documents changed places; None sends the
    text as it came. `skip` says why a text wasn't shortened; its markup may be stripped all the same.
    """

    __slots__ = ("_pick", "original_tokens", "sent_tokens", "skip", "spans")

    def __init__(
        self,
        original_tokens: int,
        sent_tokens: int,
        spans: Iterable[tuple[int, int]] | None = None,
        skip: Skip | None = None,
    ) -> None:
        self.original_tokens = original_tokens
        self.sent_tokens = sent_tokens
        self.skip = skip
        self.spans = None if spans is None else tuple(slice(start, end) for start, end in spans)
        # Made once, because a remembered text is rendered on every turn, and this is twice as fast as slicing.
        self._pick = itemgetter(*self.spans) if self.spans else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self.encode() == other.encode()

    def __hash__(self) -> int:
        return hash(self.encode())

    def with_counts(self, original_tokens: int, sent_tokens: int) -> Decision:
        """The same, counted."""
        other = copy.copy(self)
        other.original_tokens, other.sent_tokens = original_tokens, sent_tokens
        return other

    def because(self, reason: Skip) -> Decision:
        """The same for another reason."""
        other = copy.copy(self)
        other.skip = reason
        return other

    def render(self, text: str) -> str:
        """What is sent of `text`."""
        if self._pick is not None:
            return "".join(self._pick(text))
        return text if self.spans is None else ""

    @property
    def size_bytes(self) -> int:
        """Roughly the memory that it takes."""
        return 300 + 140 * len(self.spans or ())

    @property
    def is_durable(self) -> bool:
        """Whether it can't be had again for the price of a token count."""
        return self.skip not in _CHEAP

    def encode(self) -> bytes:
        """The bytes that stores hold: a header, the reason, and the distances from bound to bound."""
        reason = (self.skip or "").encode()
        width, numbers = _NO_SPANS, b""
        if self.spans is not None:
            bounds = chain.from_iterable((span.start, span.stop) for span in self.spans)
            steps = [after - before for before, after in pairwise(chain((0,), bounds))]
            width = _width(min(steps, default=0), max(steps, default=0))
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
            spans = None
            if width != _NO_SPANS:
                steps = array(width.decode())
                steps.frombytes(numbers)
                bounds = accumulate(steps)
                spans = zip(bounds, bounds, strict=True)
            return cls(original, sent, spans, Skip(reason) if reason else None)
        except (struct.error, UnicodeDecodeError, OverflowError) as error:
            raise ValueError(f"not a decision: {error}") from error


def _width(least: int, most: int) -> bytes:
    """The smallest kind of number that holds all distances; documents that changed places make negative ones."""
    if least < 0:
        return b"h" if least >= -(2**15) and most < 2**15 else b"i"
    return b"H" if most < 2**16 else b"I"


class Keys:
    """Names decisions by a keyed hash, so that a store tells nothing about texts to who lacks the secret."""

    def __init__(self, secret: bytes) -> None:
        self._mac = hmac.new(secret, digestmod="sha256")

    def within(self, *parts: bytes) -> Keys:
        """Keys that also depend on `parts` and on where each of them ends."""
        inner = copy.copy(self)
        inner._mac = self._mac.copy()
        for part in parts:
            inner._mac.update(len(part).to_bytes(8, "little") + part)
        return inner

    def digest(self, last: bytes = b"") -> bytes:
        """HMAC-SHA256 over the parts so far and `last`, 32 bytes."""
        mac = self._mac.copy()
        mac.update(last)
        return mac.digest()
