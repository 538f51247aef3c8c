"""Finds the words of a shortened text in the original. Knows words and their order, no texts.

The annotation of LLMLingua-2 (Pan et al. 2024, section 3.2 and algorithm 1: a sliding window, searched forward and
backward for words that are alike) with one change: among words that stand more than once, it takes the one that makes
most of the shortened text follow in the original's order and side by side, not the first that it meets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from compressors.training.labels.forms import Forms

WINDOW = 400
"""Words that are searched in either direction."""


class _Chain(NamedTuple):
    """Pairs of words in order, told by the last one; the greater, the better."""

    pairs: int = 0
    likeness: int = 0
    neighbours: int = 0
    """Pairs whose words directly follow the words of the pair before."""
    position: int = -1
    """Of the last word, in the original."""
    number: int = -1
    """Of the last pair."""


class _Best:
    """The best chain that ends before a position: a Fenwick tree (Fenwick 1994) of maxima."""

    def __init__(self, size: int) -> None:
        self._chains = [_Chain()] * (size + 1)

    def before(self, position: int) -> _Chain:
        best = _Chain()
        while position:
            best = max(best, self._chains[position])
            position &= position - 1
        return best

    def add(self, chain: _Chain) -> None:
        at = chain.position + 1
        while at < len(self._chains):
            self._chains[at] = max(chain, self._chains[at])
            at += at & -at


def align(
    words: Sequence[str], shortened: Sequence[str], forms: Forms, window: int = WINDOW
) -> list[int | None]:
    """For each word of `shortened`, the index of its word in `words`, or None; no index comes twice.

    Words in the original's order are found first; what then is left was moved or added, and is searched around the
    words before it.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, word in enumerate(words):
        places[forms.stem(word)].append(index)
    candidates = [places.get(forms.stem(word), []) for word in shortened]
    found = _in_order(words, shortened, candidates, forms, window)
    _find_moved(shortened, candidates, found, window)
    return found


def _in_order(
    words: Sequence[str],
    shortened: Sequence[str],
    candidates: Sequence[Sequence[int]],
    forms: Forms,
    window: int,
) -> list[int | None]:
    best, numbers = _Best(len(words)), count()
    pairs: list[tuple[int, int, int]] = []  # index in shortened, index in words, number of the pair before
    last: dict[int, _Chain] = {}  # by position: the chains that end with the word before
    for index, (word, positions) in enumerate(zip(shortened, candidates, strict=True)):
        here = max(best.before(len(words)).position, 0)
        chains = []
        for position in positions:
            if abs(position - here) > window:
                continue
            chain = best.before(position)
            beside = last.get(position - 1)
            if beside is not None:
                chain = max(chain, beside._replace(neighbours=beside.neighbours + 1))
            pairs.append((index, position, chain.number))
            likeness = chain.likeness + forms.likeness(word, words[position])
            chains.append(
                _Chain(chain.pairs + 1, likeness, chain.neighbours, position, next(numbers))
            )  # fmt: skip
        for chain in chains:
            best.add(chain)
        last = {chain.position: chain for chain in chains}
    found: list[int | None] = [None] * len(shortened)
    number = best.before(len(words)).number
    while number >= 0:
        index, position, number = pairs[number]
        found[index] = position
    return found


def _find_moved(
    shortened: Sequence[str], candidates: Sequence[Sequence[int]], found: list[int | None], window: int
) -> None:
    """Fill gaps of `found` with the nearest words that are free; marks are left alone, as there are many."""
    taken = set(found)
    here = 0
    for index, word in enumerate(shortened):
        if found[index] is None and any(map(str.isalnum, word)):
            free = [p for p in candidates[index] if p not in taken and abs(p - here) <= window]
            found[index] = min(free, key=lambda p: (abs(p - here), -p), default=None)
            taken.add(found[index])
        here = here if (position := found[index]) is None else position
