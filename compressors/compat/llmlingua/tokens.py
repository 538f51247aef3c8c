"""Iterative token-level compression exactly as `llmlingua` 0.2.2 does it, its oddities included.

Owns windows, thresholds and the eviction of what no longer fits the model. Knows token ids and surprises,
but no texts. Negative places count from the end, as they do in the package.
T: tokens that are left, L: their surprises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compressors.causal import Causal, Surprisals
from compressors.compat.llmlingua.schedule import Part, Schedule
from compressors.compat.llmlingua.transcript import Transcript
from compressors.reading import TokenIds
from compressors.words import Mask, Offsets

_LINE_BREAK = 13
"""Llama's token for a line break; in other vocabularies something else, but the package doesn't ask."""
_SINK = 10
"""Tokens after the prefix whose past is never evicted."""
_IGNORED = 10000


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How a prompt is cut for the model."""

    size: int
    """Tokens of a window."""
    start: int
    """Tokens of the hidden prefix before the contexts."""
    limit: int
    """Most tokens that the model can hold."""
    contrast: bool
    """Whether a token counts by how much the prefix lessens its surprise."""
    keep_split: bool
    """Whether runs of line breaks stay."""


def kept_tokens(causal: Causal, ids: TokenIds, schedule: Schedule, windows: Windows) -> Offsets:
    """Places in `ids` (`(T,)`) of the tokens after the prefix that stay, ascending."""
    return _Compression(causal, ids, windows).run(schedule)


class _Line:
    """One reading of the prompt, and its surprises as the package keeps them: entry i decides about token i,
    but is the surprise of the token after it; what a window hasn't reached yet dates from the first pass.
    """

    def __init__(self, causal: Causal, limit: int) -> None:
        self._transcript = Transcript(causal)
        self._limit = limit
        self._settled = 0
        """Tokens before this place are not read again."""
        self.surprises: Surprisals | None = None

    def read(self, ids: TokenIds, end: int | None, settled: int) -> bool:
        """Bring the surprises up to date for `ids` up to `end`; False if there is nothing to learn."""
        found = self._transcript.surprises(ids[:end][: self._settled + self._limit], self._settled)
        if not len(found):
            return False
        if self.surprises is None or end is None:
            self.surprises = found
        else:
            self.surprises = _overwritten(self.surprises, self._settled, found, end - 1)
        self._settled = settled
        return True

    def evict(self, ids: TokenIds, first: int, count: int) -> None:
        """Take `count` tokens from `first` on out of the past, which then stands for the beginning of `ids`."""
        count = min(count, self._settled)
        self._transcript.forget(ids, self._settled, min(first, self._settled - count), count)
        self._settled -= count


class _Compression:
    def __init__(self, causal: Causal, ids: TokenIds, windows: Windows) -> None:
        self._ids = ids
        self._windows = windows
        self._places: Offsets = np.arange(len(ids))  # (T,)
        self._evicted: list[Offsets] = []
        self._whole = _Line(causal, windows.limit)
        self._bare = _Line(causal, windows.limit) if windows.contrast else None
        self._protected = _runs(ids) if windows.keep_split else None
        self._at = min(windows.size + windows.start, len(ids)) - windows.size
        """Where the window begins."""

    def run(self, schedule: Sequence[Sequence[Part]]) -> Offsets:
        for number, parts in enumerate(schedule):  # the package fails where it needs more windows than these
            if self._at + self._windows.size > len(self._places) or not self._read(number):
                break
            for part in parts:
                self._judge(part)
        return np.concatenate((*self._evicted, self._places))[self._windows.start :]

    @property
    def _left(self) -> TokenIds:
        return self._ids[self._places]

    def _read(self, number: int) -> bool:
        """Surprises of the whole prompt (`number` 0), then of a window at a time."""
        windows = self._windows
        if number == 0:
            settled = 0 if windows.start else max(self._at, 0)
            found = self._whole.read(self._left, None, settled)
            if found and self._bare:
                self._bare.read(self._left[windows.start :], None, 0)
            return found
        if number > 1:
            excess = self._at + windows.size - windows.limit
            # a window that doesn't fit beside the prefix, where the package fails, can't make room for itself
            self._evict(min(excess, self._at - windows.start))
        end = self._at + windows.size
        found = self._whole.read(self._left, end, self._at)
        if found and self._bare:
            self._bare.read(self._left[windows.start :], end - windows.start, self._at - windows.start)
        return found

    def _evict(self, excess: int) -> None:
        """Let the first tokens go for good; their past stays, that of tokens after the sink goes instead."""
        if excess <= 0:
            return
        self._evicted.append(self._places[:excess])
        self._places = self._places[excess:]
        self._at -= excess
        first = min(_SINK + self._windows.start, self._windows.limit)
        self._whole.evict(self._left, first, excess)
        if self._bare:
            self._bare.evict(self._left[self._windows.start :], first, excess)

    def _judge(self, part: Part) -> None:
        end = self._at + part.tokens
        start = self._windows.start
        surprises = _known(self._whole)
        keep = self._above(surprises, part.rate)  # (L+1,)
        keep[end:] = True
        keep[: self._at] = True
        self._whole.surprises = surprises[keep[:-1]]
        if self._bare:
            bare = _known(self._bare)
            keep = _fitted(keep, max(len(keep), len(bare) + start + 1))
            self._bare.surprises = bare[keep[start:-1]]
        keep = _fitted(keep, len(self._places))
        if self._protected is not None:
            self._spare_line_breaks(keep, self._protected[self._places], max(0, end - part.tokens), end)
        self._at = end - int((~keep[:end]).sum())
        self._places = self._places[keep]

    def _above(self, surprises: Surprisals, rate: float) -> Mask:
        """Which tokens score above the threshold, and one more entry; `(L+1,)` bool."""
        start = self._windows.start
        if self._bare is None:
            decided = surprises > _threshold(surprises, rate)
        else:
            rest = surprises[start:]
            gained = _known(self._bare)[: len(rest)] - rest[: len(_known(self._bare))]
            decided = np.concatenate((surprises[:start] > 0, gained > _threshold(gained, rate)))
            decided = _fitted(decided, len(surprises))
        return np.concatenate((decided, surprises[:1] > 0))

    def _spare_line_breaks(self, keep: Mask, protected: Mask, low: int, high: int) -> None:
        """Keep protected line breaks; between `low` and `high` drop others that follow one."""
        keep[protected] = True
        ids = self._left
        last = -1
        for place in range(low, min(high, len(keep))):
            if not keep[place]:
                continue
            if ids[place] == _LINE_BREAK == last and not protected[place]:
                keep[place] = False
            else:
                last = ids[place]


def _overwritten(old: Surprisals, first: int, new: Surprisals, length: int) -> Surprisals:
    """`old` up to `length` with `new` from `first` on; as in the package it grows by no more than `new` has."""
    length = max(len(old), first + len(new), min(length, len(old) + len(new)))
    found = np.zeros(length, np.float32)
    found[: len(old)] = old
    found[first : first + len(new)] = new
    return found


def _known(line: _Line) -> Surprisals:
    return np.zeros(0, np.float32) if line.surprises is None else line.surprises


def _threshold(values: Surprisals, rate: float) -> float:
    """The value that the highest-scoring share `rate` of `values` is above, less one."""
    values = values[values != _IGNORED]
    if rate == 1.0 or not len(values):
        return -np.inf
    rank = max(0, min(len(values) - 1, int(len(values) * rate) - 1))
    return float(np.sort(values)[::-1][rank])


def _fitted(keep: Mask, length: int) -> Mask:
    """`keep` cut or continued with "stays" to `length`."""
    return np.concatenate((keep[:length], np.ones(max(length - len(keep), 0), np.bool_)))


def _runs(ids: TokenIds) -> Mask:
    """Line breaks that have another beside them; `(T,)` bool."""
    breaks = ids == _LINE_BREAK
    pairs = breaks[1:] & breaks[:-1]
    return np.concatenate((pairs, [False])) | np.concatenate(([False], pairs))
