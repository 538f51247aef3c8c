"""Does an answer survive, where did its document stand? Pure functions.

Knows texts and numbers; no methods, no files.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
import regex  # type: ignore[import-untyped]

POSITIONS = 10
"""Gold positions are told apart in at most as many groups."""


def survives(answers: tuple[str, ...], text: str) -> bool:
    """Whether one of `answers` stands in `text` as a whole.

    Both are brought to Unicode's NFKC, case folded, and runs of white space taken for one space. The answer must
    begin and end where a word does (Unicode Standard Annex #29): `18` isn't in `18th`, nor `3` in `3.14`.
    """
    return _pattern(answers).search(_normalised(text)) is not None


@functools.lru_cache(maxsize=65536)
def _pattern(answers: tuple[str, ...]) -> Any:
    alternatives = "|".join(regex.escape(_normalised(answer), literal_spaces=True) for answer in answers)
    return regex.compile(rf"(?w)\b(?:{alternatives})\b")


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def position(gold: int, documents: int) -> int:
    """Where the gold document stands, from 1: its number or, of more than ten documents, its tenth."""
    groups = min(documents, POSITIONS)
    return gold * groups // documents + 1


def rank(scores: npt.NDArray[np.floating[Any]], gold: int) -> int:
    """The place of document `gold` by falling `scores` (`(D,)`), from 1; among equals the last."""
    return int(np.count_nonzero(scores >= scores[gold]))
