"""Do decisions depend on what they must not: neighbours in a batch, the model's loading, its number format?

Knows compressors by their protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from compressors import Compressed, Compressor, Job
from proxy.bench.outcomes import Flips
from proxy.bench.texts import seeded

Decisions = npt.NDArray[np.bool_]
_LARGEST_BATCH = 64


def flips(
    jobs: Sequence[Job],
    first: Compressor,
    load: Callable[[str | None], Compressor],
    dtypes: Sequence[str],
    say: Callable[[str], None],
) -> list[Flips]:
    """Every two ways compared: each text alone, in random batches, after another `load`, and in other `dtypes`.

    `load` is given a dtype, None for that of `first`. Jobs must ask for word labels.
    """
    runs: dict[str, Decisions] = {}
    say("decisions: each text alone")
    runs["alone"] = _decisions(first, [[job] for job in jobs])
    say("decisions: in batches")
    runs["in batches"] = _in_batches(first, jobs)
    say("decisions: loaded again")
    runs["loaded again"] = _in_batches(load(None), jobs)
    for dtype in dtypes:
        say(f"decisions: {dtype}")
        runs[dtype] = _in_batches(load(dtype), jobs)
    return [
        Flips(
            one=one,
            other=other,
            texts=len(jobs),
            words=len(runs[one]),
            flipped=int(np.count_nonzero(runs[one] != runs[other])),
        )
        for one, other in combinations(runs, 2)
    ]


def _in_batches(compressor: Compressor, jobs: Sequence[Job]) -> Decisions:
    """Decisions in the order of `jobs`, made in another order with random neighbours."""
    draw = seeded(1)
    order = draw.sample(range(len(jobs)), len(jobs))
    batches: list[list[int]] = []
    while order:
        size = draw.randint(2, _LARGEST_BATCH)
        batches.append(order[:size])
        order = order[size:]
    found: dict[int, Decisions] = {}
    for batch in batches:
        for place, result in zip(batch, compressor.compress([jobs[i] for i in batch]), strict=True):
            found[place] = _kept([result])
    return np.concatenate([found[place] for place in range(len(jobs))])


def _decisions(compressor: Compressor, batches: Sequence[Sequence[Job]]) -> Decisions:
    return np.concatenate([_kept(compressor.compress(batch)) for batch in batches])


def _kept(results: Sequence[Compressed]) -> Decisions:
    return np.array([word.kept for result in results for word in result.words], dtype=np.bool_)
