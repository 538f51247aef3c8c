"""Contexts and which of them stay, in which order and how much of each. Knows no model, no tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from compressors.base import Span
from compressors.compat.llmlingua.parameters import Parameters


class Run(NamedTuple):
    """Neighbouring characters with a rate of their own."""

    characters: int
    rate: float
    compress: bool
    """False leaves them whole."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is left of one of the texts of a call: at first all of it, later the sentences that stay."""

    number: int
    """Place among the call's texts."""
    text: str
    spans: tuple[Span, ...]
    """Where in the original `text` comes from, piece by piece."""
    runs: tuple[Run, ...] | None = None
    """Rates of the parts of `text`; None if the call has no tags."""

    @property
    def preserved(self) -> bool:
        """Whether a part must stay whole."""
        return any(not run.compress for run in self.runs or ())


class Chosen(NamedTuple):
    """The contexts that stay, as the prompt has them, and by how much each one's ratio differs."""

    contexts: list[Context]
    shifts: list[float]


def chosen(
    contexts: Sequence[Context],
    order: Sequence[int],
    costs: Sequence[int],
    target: float,
    settings: Parameters,
) -> Chosen:
    """The contexts that stay: forced ones first, then the best until the budget is overdrawn.

    `order` is the best first, `costs` are tokens. The one that overdraws the budget still stays.
    """
    used = list(settings.force_context_ids or ())
    if settings.strict_preserve_uncompressed:
        used += [c.number for c in contexts if c.preserved and c.number not in used]
    left = settings.context_tokens(target)
    for number in order:
        left -= costs[number]
        if number not in used:
            used.append(number)
        # the package never counts beyond the first, so any number but 0 is without effect
        if left < 0 or (settings.force_context_number is not None and settings.force_context_number <= 0):
            break
    shift = dict(zip(used, _shifts(len(used), settings.dynamic_context_compression_ratio), strict=True))
    arranged = _arranged(used, settings.reorder_context)
    present = [number for number in arranged if -len(contexts) <= number < len(contexts)]
    return Chosen([contexts[number] for number in present], [shift[number] for number in arranged])


def _arranged(ranked: list[int], how: str) -> list[int]:
    if how == "original":
        return sorted(ranked)
    if how == "two_stage":  # the best at both ends
        return ranked[::2] + ranked[1::2][::-1]
    return ranked


def _shifts(count: int, spread: float) -> list[float]:
    """From `spread` for the best to -`spread` for the worst, in even steps."""
    if spread <= 0 or count == 1:
        return [0.0] * count
    return [step * (abs(spread) / (count - 1)) for step in range(count - 1, -count, -2)]
