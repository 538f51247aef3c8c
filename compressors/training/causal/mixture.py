"""Draws windows to train on from several sources. Knows tokens, no text and no model.

B: windows of a batch, T: tokens that each of them predicts, S: tokens before them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.training.causal.texts import Tokens


class Mixture:
    """Draws training windows from several sources by their shares; the same for the same seed and step.

    `start` is what a model reads first, `(S,)` int64.
    """

    def __init__(self, sources: Sequence[tuple[Tokens, float]], *, start: TokenIds, seed: int) -> None:
        self._sources = [tokens for tokens, _ in sources]
        self._shares = np.array([share for _, share in sources]) / sum(share for _, share in sources)
        self._start = start
        self._seed = seed

    def batch(self, step: int, *, rows: int, length: int) -> torch.Tensor:
        """Windows that begin at lines, behind the start: `(B, S + T)` int64.

        Raises `CompressionError` if a source has less tokens than a window.
        """
        chance = np.random.default_rng((self._seed, step))
        batch = np.empty((rows, len(self._start) + length), np.int64)  # (B, S + T)
        batch[:, : len(self._start)] = self._start
        for row, source in zip(batch, chance.choice(len(self._sources), rows, p=self._shares), strict=True):
            tokens = self._sources[source]
            last = len(tokens.ids) - length
            if last < 0:
                raise CompressionError(f"a source has {len(tokens.ids)} tokens; a window takes {length}")
            first = min(int(chance.choice(tokens.starts)), last)
            row[len(self._start) :] = tokens.ids[first : first + length]
        return torch.from_numpy(batch)
