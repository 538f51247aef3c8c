"""What is counted, by what, and how the derived figures are defined."""

from __future__ import annotations

from operator import add
from typing import NamedTuple

BUCKET_S = 300
"""Length of a time bucket."""
CLUSTERS = 32
"""Random groups of conversations, from which the error of a measured saving is estimated."""


class Dimensions(NamedTuple):
    """By what requests are told apart."""

    route: str
    policy: str
    model: str
    key: str
    """A short hash of the caller's credential, or empty."""
    mode: str
    arm: str
    """`treated`, `holdout`, or empty where the policy holds none out."""
    cluster: int
    """In 0–31, from a hash of the conversation; 0 without an arm."""


class Counts(NamedTuple):
    """Sums over requests. Stores keep them in this order: new ones come last."""

    requests: int = 0
    original_tokens: int = 0
    sent_tokens: int = 0
    shadow_saved_tokens: int = 0
    """What shadow mode would have saved; never part of `saved_tokens`."""
    saved_nanousd: int = 0
    compress_us: int = 0
    usage_requests: int = 0
    """Those whose answer told its usage; the next three are theirs."""
    usage_prompt_tokens: int = 0
    usage_cached_tokens: int = 0
    usage_completion_tokens: int = 0
    reconciled_requests: int = 0
    """Those with a usage that were counted here as well; the next three are theirs."""
    reconciled_original_tokens: int = 0
    reconciled_sent_tokens: int = 0
    reconciled_prompt_tokens: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts._make(map(add, self, other))

    @property
    def saved_tokens(self) -> int:
        """The tokens of message texts as they came less those of the texts as they were sent.

        Both are counted with the upstream model's tokenizer. The one definition, in headers, metrics and reports.
        """
        return self.original_tokens - self.sent_tokens

    @property
    def saved_share(self) -> float | None:
        """Saved per original token; None where nothing was counted."""
        return self.saved_tokens / self.original_tokens if self.original_tokens else None

    @property
    def drift_tokens(self) -> int:
        """Prompt tokens that the upstream billed beyond the counted ones, of the same requests.

        Tools, images and the tokens around each message are in it, as only texts are counted.
        """
        return self.reconciled_prompt_tokens - self.reconciled_sent_tokens

    @property
    def drift_share(self) -> float | None:
        """Drift per counted token; None where nothing could be compared."""
        return self.drift_tokens / self.reconciled_sent_tokens if self.reconciled_sent_tokens else None


class Series(NamedTuple):
    """One row of the ledger: a time and what is told apart in it."""

    bucket: int
    """Start in seconds since 1970, a multiple of `BUCKET_S`."""
    dimensions: Dimensions


Row = tuple[Series, Counts]
