"""How the texts of one request are to be shortened, and what a saved token is worth."""

from __future__ import annotations

from dataclasses import dataclass

from compressors.batcher import Batcher
from policies.policy import Policy
from proxy.store.conversation import Terms
from proxy.store.decision import Decision, Keys


@dataclass(frozen=True, slots=True)
class Order:
    """Everything but the texts."""

    policy: Policy
    engine: Batcher
    scope: Keys
    """Depend on who shares the decisions."""
    terms: Terms
    encoding: str
    rate: float | None = None
    tags: bool = False
    token_s: float | None = None
    """Seconds of compression that a saved token is worth; None if every saving is."""

    @property
    def plain(self) -> bytes:
        """What the decision depends on for a text that is never shortened."""
        return f"{self.encoding} {self.tags}".encode()

    def forgets(self, decision: Decision) -> bool:
        """Whether a failure isn't remembered unless the request is sent nevertheless: a refused one is tried again."""
        failed = decision.skip is not None and decision.skip.is_failure
        return failed and self.policy.on_failure != "forward"

    def pays(self, saved_tokens: float, seconds: float) -> bool:
        """Whether saving so much is worth so long."""
        return self.token_s is None or saved_tokens * self.token_s >= seconds
