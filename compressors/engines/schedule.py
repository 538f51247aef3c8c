"""Which units of which jobs make the next batch. Knows neither models nor threads.

What has been served least goes first, so that a short text passes the later parts of a long one (least attained
service: Kleinrock, Queueing Systems II, 1976, section 4.4); what is oldest is never passed over for long.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from compressors.passes import Unit

_PASSED_OVER = 4
"""Batches without the oldest job after which one begins with it."""


@dataclass(slots=True, eq=False)
class Task:
    """A job's units of one pass, and what came of them."""

    number: int
    """The job's place in the order of arrival."""
    units: Sequence[Unit]
    served_tokens: int = 0
    """Of all passes so far."""
    begun: int = 0
    """Units that were put into batches."""
    done: int = 0
    outcomes: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outcomes = [None] * len(self.units)

    @property
    def is_begun(self) -> bool:
        """Whether all units have been put into batches."""
        return self.begun == len(self.units)

    @property
    def is_done(self) -> bool:
        """Whether all units have been through the model."""
        return self.done == len(self.units)

    def give_up(self) -> None:
        """Have no more units put into batches."""
        self.begun = len(self.units)


Batch = list[tuple[Task, int]]
"""Units by task and place."""


class Schedule:
    """Tasks that have units left."""

    def __init__(self) -> None:
        # Additions are numbered, too: a job's last task may still be there when its next one comes.
        self._by_service: list[tuple[int, int, int, Task]] = []
        self._by_age: list[tuple[int, int, Task]] = []
        self._additions = count()
        self._passed_over = 0
        """Batches since the oldest task was in one."""

    def add(self, task: Task) -> None:
        """Take in a task with at least one unit."""
        addition = next(self._additions)
        heapq.heappush(self._by_service, (task.served_tokens, task.number, addition, task))
        heapq.heappush(self._by_age, (task.number, addition, task))

    def batch(self, budget_tokens: int) -> Batch:
        """The next units, together at most `budget_tokens` unless one alone is longer; empty if none are left."""
        batch: Batch = []
        total = 0
        oldest = self._oldest()
        if oldest is not None and self._passed_over >= _PASSED_OVER:
            total = _take(oldest, batch)
        while (task := self._least_served()) is not None:
            if batch and total + len(task.units[task.begun]) > budget_tokens:
                break
            total += _take(task, batch)
        served = any(task is oldest for task, _ in batch)
        self._passed_over = 0 if served else self._passed_over + 1
        return batch

    def _oldest(self) -> Task | None:
        while self._by_age and self._by_age[0][-1].is_begun:
            heapq.heappop(self._by_age)
        return self._by_age[0][-1] if self._by_age else None

    def _least_served(self) -> Task | None:
        while self._by_service:
            served, number, addition, task = self._by_service[0]
            if task.is_begun:
                heapq.heappop(self._by_service)
            elif served != task.served_tokens:  # it was served since it was put there
                heapq.heapreplace(self._by_service, (task.served_tokens, number, addition, task))
            else:
                return task
        return None


def _take(task: Task, batch: Batch) -> int:
    """Put the task's next unit into the batch; its tokens."""
    tokens = len(task.units[task.begun])
    batch.append((task, task.begun))
    task.begun += 1
    task.served_tokens += tokens
    return tokens
