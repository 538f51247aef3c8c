"""Numbers, names and negations among the words of a text."""

from __future__ import annotations

import pytest

from proxy.evaluation.kinds import KINDS, words_by_kind


@pytest.mark.parametrize(
    ("text", "numbers", "names", "negations"),
    [
        ("We pay 1,240 EUR on 3 May, not more.", ["1,240", "3"], ["EUR", "May"], ["not"]),
        ("Ask Ada Lund. She doesn't know the (2nd) HAT069.", ["2nd", "HAT069"], ["Ada", "Lund"], ["doesn't"]),
        ("Yes, I do\nBut “Nobody” came", [], [], ["Nobody"]),  # `I` is no name, and `But` begins a line
        ('{"name": "Maria", "age": 41}', ["41"], ["Maria"], []),
        ("東京は大きくない", [], [], []),
        ("", [], [], []),
    ],
)
def test_words_are_told_apart(text: str, numbers: list[str], names: list[str], negations: list[str]) -> None:
    found = words_by_kind(text)
    assert tuple(found) == KINDS
    words = {kind: [text[slice(*span)] for span in spans] for kind, spans in found.items()}
    assert words == {"numbers": numbers, "names": names, "negations": negations}
