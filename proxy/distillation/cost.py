"""What calls cost. Knows prices and tokens, no calls."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.prices import facts_of


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call or several, as the upstream counts them."""

    input_tokens: int = 0
    cached_tokens: int = 0
    """Those of the input that came from its prompt cache."""
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Tariff:
    """US dollars a token."""

    input_usd: float
    cached_usd: float
    output_usd: float

    @classmethod
    def of(cls, model: str) -> Tariff | None:
        """What litellm's list says of a model; None where it isn't listed."""
        facts = facts_of(model)
        price = facts.price if facts is not None else None
        return None if price is None else cls(price.input_usd, price.cached_input_usd, price.output_usd)

    def usd(self, usage: Usage) -> float:
        """The price of calls."""
        fresh = usage.input_tokens - usage.cached_tokens
        return (
            fresh * self.input_usd
            + usage.cached_tokens * self.cached_usd
            + usage.output_tokens * self.output_usd
        )
