"""What was measured. Knows neither how nor where it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of some values in milliseconds."""

    p50: float
    p95: float
    p99: float


def spread(seconds: Sequence[float]) -> Spread | None:
    """None where there are no values."""
    if not seconds:
        return None
    p50, p95, p99 = np.percentile(np.array(seconds) * 1000, (50, 95, 99)).tolist()
    return Spread(p50=p50, p95=p95, p99=p99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """What went through the model meanwhile."""

    count: int
    tokens: int
    """Tokens computed."""
    budget_tokens: int
    """Tokens that as many batches could have held."""
    seconds: float
    """In the model."""

    @property
    def fill(self) -> float | None:
        """Share of the budget that was used."""
        return self.tokens / self.budget_tokens if self.budget_tokens else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Texts of one size at one concurrency, through the engine that the proxy uses."""

    size: str
    concurrency: int
    requests: int
    """Answered ones; all figures are of these."""
    unfinished: int
    """Still waiting at the time limit, which leaves the slowest out of the figures."""
    tokens: int
    """The model's, of all texts."""
    seconds: float
    latency: Spread | None
    queue: Spread | None
    tokenize_ms: float
    """This and the next two: mean of a text."""
    forward_ms: float
    select_ms: float
    batches: Batches | None
    """None where the engine doesn't tell."""
    utilisation: float | None
    """Operations for these texts over what the device could have done in the whole time."""
    model_utilisation: float | None
    """The same over the time in the model."""
    peak_bytes: int | None
    """Of a GPU."""

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens of the texts a second."""
        return self.tokens / self.seconds if self.requests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of those that were measured side by side."""

    name: str
    seconds: tuple[float, ...]
    """Of each round."""
    times: float | None
    """How much faster than the package, by medians."""
    grown_bytes: int | None = None
    """GPU memory that its work took at most, weights left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The package and laconic on the same texts, turn by turn."""

    case: str
    tokens: int
    sides: tuple[Side, ...]
    words_alike: float | None = None
    """Share of the words that the parity mode decides as the package does; LLMLingua-2 only."""
    words: int = 0
    texts_alike: float | None = None
    """Share of the texts that the parity mode shortens to the package's very text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """Words that one way of running the model keeps and another drops."""

    one: str
    other: str
    texts: int
    words: int
    flipped: int

    @property
    def share(self) -> float | None:
        """Of all words."""
        return self.flipped / self.words if self.words else None


@dataclass(slots=True, kw_only=True)
class Measured:
    """All that was found out about one model; what failed stands in `errors`."""

    model: str
    method: str
    device: str
    dtype: str | None
    counted_in: str | None = None
    """The encoding that budgets are met in."""
    parameters: int | None = None
    multiplied_parameters: int | None = None
    load_s: float | None = None
    matmul: dict[str, object] | None = None
    peak_bytes: int | None = None
    peak_of: str | None = None
    latency: list[Latency] = field(default_factory=list)
    beside: list[Beside] = field(default_factory=list)
    flips: list[Flips] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)
