"""What one method reached on one data set. Knows no texts: counts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proxy.evaluation.methods import Method


@dataclass(slots=True)
class Share:
    """So many of so many."""

    part: int = 0
    whole: int = 0

    def add(self, hit: bool) -> None:
        """Count one more, a hit or not."""
        self.part += hit
        self.whole += 1

    @property
    def value(self) -> float | None:
        """In [0, 1]; None of nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(slots=True, kw_only=True)
class Retention:
    """A method at a rate on the cases of a data set. Counts leave failed cases out."""

    data: str
    method: Method
    rate: float
    tokens: Share = field(default_factory=Share)
    """Tokens kept of all."""
    taken: list[int | None] = field(default_factory=list)
    """Tokens kept of each case in the data's order; None where it failed."""
    answers: Share = field(default_factory=Share)
    """Cases of which an answer survived, of those whose whole text holds one."""
    positions: dict[int, Share] = field(default_factory=dict)
    """`answers` by the gold document's position, from 1."""
    cases: int = 0
    unreadable: int = 0
    """Texts left whole because the model can't read them."""
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Place and error of each case that the method couldn't shorten."""


@dataclass(slots=True, kw_only=True)
class Ranking:
    """A ranker on the cases of a data set whose gold document is known."""

    data: str
    ranker: str
    ranks: list[int] = field(default_factory=list)
    """Places of the gold documents, from 1."""
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)

    def recall(self, k: int) -> float | None:
        """Share of the cases whose gold document is among the first `k`."""
        return Share(sum(rank <= k for rank in self.ranks), len(self.ranks)).value

    @property
    def mean_rank(self) -> float | None:
        """Mean place of the gold document."""
        return mean(self.ranks)


@dataclass(slots=True, kw_only=True)
class WordFit:
    """How a method's word probabilities fit a reference's labels; one figure a text that keeps some words."""

    data: str
    method: Method
    f1: list[float] = field(default_factory=list)
    average_precision: list[float] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Survival:
    """What a method at a rate leaves of the numbers, names and negations in messages. Counts leave failed ones out."""

    data: str
    method: Method
    rate: float
    protected: bool
    """Whether what policies protect by default had to stay, at the same number of tokens."""
    tokens: Share = field(default_factory=Share)
    kinds: dict[str, Share] = field(default_factory=dict)
    """Words that survived, of each kind."""
    texts: int = 0
    unreadable: int = 0
    """Texts left whole because the model can't read them."""
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The method's label, and whether anything was protected."""
        return f"{self.method.label}, protected" if self.protected else self.method.label


Outcome = Retention | Ranking | WordFit | Survival


def mean(values: Sequence[float]) -> float | None:
    """Their mean; None of nothing."""
    return sum(values) / len(values) if values else None
