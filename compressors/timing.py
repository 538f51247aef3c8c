"""How long short computations take, to choose between them."""

from __future__ import annotations

import time
from collections.abc import Callable

_ROUNDS = 3


def shortest_s(run: Callable[[], object]) -> float:
    """Seconds of the shortest of a few runs, after one that doesn't count."""
    run()
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)
