"""How far a training is, by time or by steps, and how fast it learns there. Knows no model and no data."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

_PAUSE = 5.0
"""A step that takes so many times the usual time was interrupted; the rest doesn't count."""
_RECENT = 20
_STATE = ("steps", "progress", "elapsed_s", "_recent_s")


class Schedule:
    """A linear warm-up to a learning rate, then a line down to 0 over so many steps or minutes.

    Exactly one of `steps` and `minutes` is given. Pauses don't count, nor does what happens between steps.
    With steps everything follows from their number; with minutes also from how long they took.
    """

    def __init__(
        self,
        *,
        warm_up: float,
        steps: int | None = None,
        minutes: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if (steps is None) == (minutes is None):
            raise ValueError("a schedule takes either steps or minutes")
        self.steps = 0
        self.progress = 0.0
        """0 to 1."""
        self.elapsed_s = 0.0
        self._warm_up = warm_up
        self._total_steps = steps
        self._total_s = None if minutes is None else 60.0 * minutes
        self._clock = clock
        self._recent_s: list[float] = []
        self._begin_s = 0.0

    @property
    def done(self) -> bool:
        return self.progress >= 1.0

    @property
    def factor(self) -> float:
        """Of the highest learning rate at this point, 0 to 1."""
        if self.progress < self._warm_up:
            return (self.progress + 1e-3) / (self._warm_up + 1e-3)
        return (1.0 - self.progress) / (1.0 - self._warm_up)

    def __enter__(self) -> None:
        """Begin a step."""
        self._begin_s = self._clock()

    def __exit__(self, kind: object, *_: object) -> None:
        """End a step; one that failed doesn't count."""
        if kind is None:
            self._advance(self._clock() - self._begin_s)

    def _advance(self, took_s: float) -> None:
        self.steps += 1
        self._recent_s = [*self._recent_s[1 - _RECENT :], took_s]
        took_s = min(took_s, _PAUSE * median(self._recent_s))
        if self._total_s is None:
            assert self._total_steps is not None
            self.progress = min(self.steps / self._total_steps, 1.0)
        else:  # the rest of the way takes the rest of the time, however long that is now
            left_s = self._total_s - self.elapsed_s
            rest = 1.0 - self.progress
            self.progress = 1.0 if took_s >= left_s else self.progress + rest * took_s / left_s
        self.elapsed_s += took_s

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on, as plain numbers."""
        return {name: getattr(self, name) for name in _STATE}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`. Other minutes stretch what is left of the schedule; other steps rescale it."""
        for name in _STATE:
            setattr(self, name, state[name])
        if self._total_steps is not None:
            self.progress = min(self.steps / self._total_steps, 1.0)
