"""Words of like meaning, so that questions don't only repeat a text. Owns which words those are; knows no language."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_NEAR = 0.6
"""The least cosine: wrote and author have 0.66, river and flood 0.61, city and downtown 0.68."""
_MOST = 6
_BLOCK = 1024


class Synonyms:
    """For each of some words those of them that the embedded sentence encoder finds nearest, each read alone.

    Other forms of a word (wrote, written) and what is merely about the same (river, creek) are among them: whoever
    asks uses either.
    """

    def __init__(self, words: Sequence[str], device: str = "cpu") -> None:
        """`words` in lower case, none twice; `device` as `load` takes it."""
        from compressors.ranking.embedded import Embedded  # only now: it imports torch

        encoder = Embedded("synonyms", device)
        found = encoder.embeddings(words)
        vectors = (
            np.concatenate([passages[:1] for passages in found]) if found else np.zeros((0, 1), np.float32)
        )
        self._near = dict(zip(words, _nearest(words, vectors), strict=True))

    def draw(self, word: str, chance: random.Random) -> str:
        """One of the words near `word`, or `word` itself if there is none."""
        near = self._near.get(word.lower())
        return chance.choice(near) if near else word


def _nearest(words: Sequence[str], vectors: npt.NDArray[np.float32]) -> list[list[str]]:
    near: list[list[str]] = []
    for low in range(0, len(words), _BLOCK):
        cosines = vectors[low : low + _BLOCK] @ vectors.T  # (B, W)
        rows = np.arange(len(cosines))
        cosines[rows, low + rows] = -1.0  # itself
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :_MOST]
        near += [
            [words[other] for other in others if cosines[row, other] >= _NEAR]
            for row, others in enumerate(best.tolist())
        ]
    return near
