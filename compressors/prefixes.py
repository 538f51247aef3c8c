"""The pasts of the prefixes that were read last, so that a job's parts need not be computed in one batch.

Owns what is kept and for how long. Knows no model.
"""

from __future__ import annotations

from collections import OrderedDict

from compressors.cache import Prefix


class Prefixes:
    """Keeps at most `limit_bytes` of the model's device; what was used longest ago goes first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[bytes, Prefix] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        return key in self._kept

    @property
    def nbytes(self) -> int:
        """Memory that is taken now."""
        return sum(prefix.nbytes for prefix in self._kept.values())

    def get(self, key: bytes) -> Prefix | None:
        """The past of the prefix that was put away under `key`."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: bytes, prefix: Prefix) -> None:
        """Keep a past for as long as there is room."""
        self._kept[key] = prefix
        while self.nbytes > self._limit_bytes:
            self._kept.popitem(last=False)
