"""Who hears how a training goes. Imports nothing heavy."""

from __future__ import annotations

from typing import Protocol

from compressors.training.schedule import Schedule

Figures = dict[str, dict[str, float]]
"""What a validation found: source → measure → value."""


class Report(Protocol):
    """Hears how a training goes."""

    def preparing(self, what: str) -> None:
        """Something that takes a while, before the first step."""

    def step(self, schedule: Schedule, tokens: int, loss: float) -> None:
        """A step was made; tokens so far, its loss in nats per word or token."""

    def validated(self, figures: Figures, *, is_best: bool) -> None:
        """What is held out was looked at."""
