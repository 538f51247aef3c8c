"""How the texts of one request are to be shortened, and what a saved token is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from compressors.engines import Engine
from policies.policy import Policy
from proxy.store.conversation import Terms
from proxy.store.decision import Keys


class CacheFloor(NamedTuple):
    """How an upstream caches a conversation, as far as that bounds what may be saved; zeros where it doesn't."""

    minimum_tokens: int = 0
    """Shortest prefix that it caches."""
    step_tokens: int = 0
    """Longer ones are cached in such steps."""


NO_FLOOR = CacheFloor()


@dataclass(frozen=True, slots=True)
class Order:
    """Everything but the texts."""

    policy: Policy
    engine: Engine
    scope: Keys
    """Depend on who shares the decisions."""
    terms: Terms
    encoding: str
    rate: float | None = None
    tags: bool = False
    floor: CacheFloor = NO_FLOOR
    token_s: float | None = None
    """Seconds of compression that a saved token is worth; None if every saving is."""

    @property
    def plain(self) -> bytes:
        """What the counts of a text depend on that isn't shortened."""
        return f"{self.encoding} {self.tags}".encode()

    def pays(self, saved_tokens: float, seconds: float) -> bool:
        """Whether saving so much is worth so long."""
        return self.token_s is None or saved_tokens * self.token_s >= seconds
