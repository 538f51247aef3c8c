"""The original's wording in an answer, as `llmlingua` 0.2.2 recovers it. Knows no model."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

from compressors.base import Span
from compressors.compat.llmlingua.codec import Codec

_GAP = 10
"""Tokens of the original from one matched token to the next, at most."""


def recovered(codec: Codec, original: str, compressed: str, response: str) -> str:
    """`response` with each run of words that `compressed` holds replaced by what it was made from."""
    source = _Source(codec, original)
    words = response.split(" ")
    result = []
    place = 0
    while place < len(words):
        end = place + 1
        if words[place] in compressed:
            while end < len(words) and " ".join(words[place : end + 1]) in compressed:
                end += 1
            result.append(source.wording(" ".join(words[place:end])))
        else:
            result.append(words[place])
        place = end
    return " ".join(result)


class _Source:
    def __init__(self, codec: Codec, original: str) -> None:
        self._codec = codec
        self._ids = codec.ids(original).tolist()
        self._places: defaultdict[int, list[int]] = defaultdict(list)
        for place, token in enumerate(self._ids):
            self._places[token].append(place)

    def wording(self, text: str) -> str:
        """The stretch of the original that holds most tokens of `text` in order, the shortest of those."""
        tokens = self._codec.ids(text).tolist()
        matches = [self._match(start, tokens) for start in self._places.get(tokens[0], ())] if tokens else []
        if not matches:
            return text
        _, (start, end) = max(matches, key=lambda match: (match[0], match[1][0] - match[1][1]))
        return self._codec.decode(self._ids[start:end])

    def _match(self, start: int, tokens: Sequence[int]) -> tuple[int, Span]:
        """How many of `tokens` are found from `start` on, and where; those that are too far away are skipped."""
        matched, last = 1, start
        for token in tokens[1:]:
            places = self._places.get(token, [])
            following = bisect_right(places, last)
            if following < len(places) and places[following] - last <= _GAP:
                matched, last = matched + 1, places[following]
        return matched, (start, last + 1)
