"""Iterative token-level compression: each segment is judged given what was kept of those before it.

LLMLingua (Jiang et al., EMNLP 2023, §4.2, algorithm 2). Each token is read once to be judged, and once more
if it is kept. Knows token ids and drafts, but no tensors.
T: tokens of a text, G: tokens of a segment, W: words.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from compressors.drafting import Draft
from compressors.reading import TokenIds
from compressors.scores import grouped_means
from compressors.units import Known, Line, Piece, Surprisals
from compressors.windows import Window
from compressors.words import Mask, Offsets

Worth = Callable[[Sequence[Surprisals]], Surprisals]
"""What tokens are worth, `(G,)`, by their surprise after each of several prefixes."""


def judged_by_segments(
    window: int,
    prefixes: Sequence[TokenIds],
    worth: Worth,
    draft: Draft,
    windows: Sequence[Window],
    size: int,
) -> Generator[Sequence[Piece], Sequence[Known], Surprisals]:
    """What each token is worth, `(T,)` float32 in [0, 1]: 1 less its word's rank in its segment.

    The text is read once after each of `prefixes`; `worth` makes one value of the surprises. Of each segment
    of `size` tokens the best words stay that the rate pays for, the same for all prefixes. Where the model's
    `window` is full, reading begins anew. What was kept of a segment is read together with the next one.
    """
    values = np.zeros(len(draft.reading.ids), dtype=np.float32)
    word = np.searchsorted(draft.words.ends, draft.reading.starts, side="right")  # (T,)
    rate = draft.rate()
    lines: list[Line] = []
    waiting: list[TokenIds] = []  # of each line, what stays but isn't read: its prefix, kept tokens
    read: list[int] = []  # tokens of each line that stay
    for start, end in _segments(windows, size):
        ids = draft.reading.ids[start:end]
        if not lines or max(map(len, prefixes)) + read[-1] + len(waiting[-1]) + len(ids) > window:
            lines, waiting, read = [Line() for _ in prefixes], list(prefixes), [0] * len(prefixes)
        found = yield [
            Piece(line, stays, np.concatenate((before, ids)), judged=len(ids))
            for line, stays, before in zip(lines, read, waiting, strict=True)
        ]
        own = np.minimum(word[start:end], len(draft.words) - 1)
        ranks, kept = _ranked(worth([known.surprisals for known in found]), own, draft, rate)
        values[start:end] = 1 - ranks
        read = [stays + len(before) for stays, before in zip(read, waiting, strict=True)]
        waiting = [ids[kept]] * len(lines)
    return values


def _segments(windows: Sequence[Window], size: int) -> Iterator[tuple[int, int]]:
    for window in windows:
        for start in range(window.fresh, window.end, size):
            yield start, min(start + size, window.end)


def _ranked(
    values: Surprisals, word: Offsets, draft: Draft, rate: float
) -> tuple[npt.NDArray[np.float64], Mask]:
    """The share of the segment's tokens that better words take, and which tokens the rate pays for; `(G,)` each."""
    present, own = np.unique(word, return_inverse=True)  # words of the segment; the word of each token
    means = grouped_means(own, values, len(present))
    pinned, costs = (draft.pinned | draft.wanted)[present], np.bincount(own)
    order = np.lexsort((-means, ~pinned))
    shares = np.empty(len(present))
    shares[order] = np.cumsum(costs[order]) / len(own)
    kept = (shares <= rate) | pinned
    kept[order[0]] = True  # a segment of which nothing stays would leave its successor without a past
    return shares[own], kept[own]
