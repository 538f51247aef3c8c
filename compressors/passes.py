"""A job's way through a model, pass by pass, so that the work of many jobs can share batches.

Owns the agreement between compressors and whoever runs their models. Knows no model and no method.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from compressors.base import Compressed, Compressor, Job


class Unit(Protocol):
    """What a model reads in one piece."""

    def __len__(self) -> int:
        """Tokens that it costs."""


Passes = Generator[Sequence[Unit], Sequence[Any], Compressed]
"""Yields the units that a job needs next, is sent what `forward` made of each, and returns the result."""


@runtime_checkable
class Divisible(Compressor, Protocol):
    """A compressor whose work can be cut into units; results don't depend on which share a forward pass."""

    device: str
    """Where its model runs, as torch names it."""
    batch_tokens: int
    """Tokens that a forward pass is fastest with."""

    def passes(self, job: Job) -> Passes:
        """The way of one job; may run on any thread, for no model is touched in it."""

    def forward(self, units: Sequence[Any]) -> list[Any]:
        """What the model makes of each unit, in order; to be called on one thread at a time."""


@dataclass(slots=True)
class _Running:
    passes: Passes
    units: Sequence[Unit]


def compress(compressor: Divisible, jobs: Sequence[Job]) -> list[Compressed]:
    """The results of `jobs`, in order; what they need next goes through the model together."""
    results: dict[int, Compressed] = {}
    running: dict[int, _Running] = {}

    def advance(place: int, passes: Passes, outcomes: Sequence[Any] | None) -> None:
        try:
            units = next(passes) if outcomes is None else passes.send(outcomes)
        except StopIteration as end:
            results[place] = end.value
            running.pop(place, None)
        else:
            running[place] = _Running(passes, units)

    for place, job in enumerate(jobs):
        advance(place, compressor.passes(job), None)
    while running:
        now = list(running.items())
        outcomes = iter(compressor.forward([unit for _, run in now for unit in run.units]))
        for place, run in now:
            advance(place, run.passes, [next(outcomes) for _ in run.units])
    return [results[place] for place in range(len(jobs))]
