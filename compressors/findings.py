"""Which states of a batch are judged, and who waits for the surprises, until all are copied at once.

Owns the way from states to surprises in host memory. Knows no models but their heads.
N: states, C: size of a state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from compressors.head import Head
from compressors.reading import TokenIds
from compressors.units import Held, Known

Sink = Known | Held
"""What waits for surprises."""


class Wanted:
    """States of one batch that are to be judged."""

    def __init__(self) -> None:
        self.sinks: list[tuple[Sink, int]] = []
        self._spots: list[TokenIds] = []
        self._targets: list[TokenIds] = []

    def add(self, sink: Sink, ids: TokenIds, span: tuple[int, int], first: int) -> None:
        """The tokens `span` of `ids`, the state before the first of which lies at `first` in the batch."""
        if span[0] < span[1]:
            self.sinks.append((sink, span[1] - span[0]))
            self._spots.append(np.arange(first + span[0], first + span[1]))
            self._targets.append(ids[slice(*span)])

    @property
    def spots(self) -> TokenIds:
        """Where the states lie in the batch; `(N,)` int64."""
        return np.concatenate([_NO_IDS, *self._spots])

    @property
    def targets(self) -> TokenIds:
        """The tokens that follow; `(N,)` int64."""
        return np.concatenate([_NO_IDS, *self._targets])


class Findings:
    """Surprises that are still on the device, with those who wait for them."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._sinks: list[tuple[Sink, int]] = []
        self._parts: list[torch.Tensor] = []

    def add(self, sinks: Sequence[tuple[Sink, int]], states: torch.Tensor, targets: torch.Tensor) -> None:
        """Judge states, `(N, C)`, for sinks that wait for so many of them each, in order."""
        if sinks:
            self._sinks += sinks
            self._parts.append(self._head.surprisals(states, targets))

    def settle(self) -> None:
        """Copy all surprises to those who wait."""
        if self._parts:
            flat = torch.cat(self._parts).cpu().numpy()
            ends = np.cumsum([count for _, count in self._sinks])
            for (sink, _), found in zip(self._sinks, np.split(flat, ends[:-1]), strict=True):
                sink.surprisals = found


_NO_IDS: TokenIds = np.zeros(0, np.int64)
