"""What the ledger is told of one request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from proxy.ledger.counts import BUCKET_S, CLUSTERS, Counts, Dimensions, Series
from proxy.usage import Usage


@dataclass(slots=True)
class Entry:
    """One request that the upstream answered: one that it refused costs nothing, and so saves nothing."""

    route: str
    policy: str = ""
    model: str = ""
    key: str = ""
    """A short hash of the caller's credential."""
    mode: str = "off"
    arm: str = ""
    """`treated` or `holdout` where the policy holds conversations out."""
    cluster: int = 0
    """With an arm: from bits of the conversation's hash that have no part in choosing the arm."""
    original_tokens: int = 0
    """Zero if nobody counted."""
    sent_tokens: int = 0
    shadow_saved_tokens: int = 0
    saved_nanousd: int = 0
    """Negative where more was paid."""
    compress_s: float = 0.0
    usage: Usage | None = None
    time_s: float = field(default_factory=time.time)

    @property
    def series(self) -> Series:
        """Where it is added."""
        bucket = int(self.time_s) // BUCKET_S * BUCKET_S
        cluster = self.cluster % CLUSTERS if self.arm else 0
        return Series(
            bucket, Dimensions(self.route, self.policy, self.model, self.key, self.mode, self.arm, cluster)
        )

    @property
    def counts(self) -> Counts:
        """What it adds."""
        original, sent = self.original_tokens, self.sent_tokens
        own = (1, original, sent, self.shadow_saved_tokens, self.saved_nanousd, round(self.compress_s * 1e6))
        if self.usage is None:
            return Counts(*own)
        if original == 0:
            return Counts(*own, 1, *self.usage)
        return Counts(*own, 1, *self.usage, 1, original, sent, self.usage.prompt_tokens)
