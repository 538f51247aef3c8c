"""What a model costs and takes: the words that prices, caches and bills share."""

from __future__ import annotations

from dataclasses import dataclass

from policies.economics.caching import Caching


@dataclass(frozen=True, slots=True)
class Usage:
    """How the input tokens of one request, or of several, are billed."""

    input_tokens: int = 0
    """All of them."""
    cached_tokens: int = 0
    """Read from the provider's cache."""
    written_tokens: int = 0
    """Written to the cache at a price of its own."""
    long_written_tokens: int = 0
    """Likewise, to be kept for an hour."""

    @property
    def uncached_tokens(self) -> int:
        """Neither read nor written at a price of its own, in tokens."""
        return self.input_tokens - self.cached_tokens - self.written_tokens - self.long_written_tokens

    def __add__(self, other: Usage) -> Usage:
        """What both make together."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.written_tokens + other.written_tokens,
            self.long_written_tokens + other.long_written_tokens,
        )


@dataclass(frozen=True, slots=True)
class Price:
    """What a token costs, in USD per token."""

    input_usd: float
    cached_input_usd: float
    write_usd: float
    """A token written to the cache, where that is billed."""
    long_write_usd: float
    """Likewise, to be kept for an hour."""
    output_usd: float

    def cost_usd(self, usage: Usage) -> float:
        """What the input tokens of `usage` cost."""
        return (
            usage.uncached_tokens * self.input_usd
            + usage.cached_tokens * self.cached_input_usd
            + usage.written_tokens * self.write_usd
            + usage.long_written_tokens * self.long_write_usd
        )


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model."""

    model: str
    provider: str
    """As litellm names it: `openai`, `anthropic` …; empty where it isn't known."""
    caching: Caching
    price: Price | None = None
    context_tokens: int | None = None
    """Most tokens of a request."""
