"""Which stretches of a text have words to lose. Knows neither what the text is nor how it is shortened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policies.protection import Span

UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)
"""Letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese."""
_SEVERAL = re.compile(rf"\S\s++\S|[{UNSPACED}]")


def shortenable(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """What lies between the outer white space of each of `spans`, where that is more than one word."""
    for start, end in spans:
        content = text[start:end]
        if _SEVERAL.search(content):
            yield end - len(content.lstrip()), start + len(content.rstrip())
