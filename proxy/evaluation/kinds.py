"""Which words of a text are numbers, names and negations. Knows texts; no methods, no budget."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from compressors import Span
from policies.protection.negations import negations

KINDS = ("numbers", "names", "negations")
_WORD = re.compile(r"\w+(?:[.,:'’\-]\w+)*")
_END = re.compile(r"[\n.!?…]")


def words_by_kind(text: str) -> Mapping[str, Sequence[Span]]:
    """The words of each of `KINDS` in `text`, without punctuation at their edges; a word is of one kind at most.

    A number is a word with a digit. A negation is what `protect: [negations]` takes for one. A name is a word of two
    letters and more that begins with a capital but no sentence; scripts without capitals have none.
    """
    negating = {place for span in negations(text, 0, len(text)) for place in range(*span)}
    found: dict[str, list[Span]] = {kind: [] for kind in KINDS}
    before = 0
    for match in _WORD.finditer(text):
        word, (start, end) = match[0], match.span()
        begins = before == 0 or _END.search(text, before, start) is not None
        before = end
        if any(character.isdigit() for character in word):
            found["numbers"].append((start, end))
        elif start in negating:
            found["negations"].append((start, end))
        elif len(word) > 1 and word[0].isupper() and not begins:
            found["names"].append((start, end))
    return found
