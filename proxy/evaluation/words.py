"""The words that baselines drop or keep. Knows characters; no ranks, no budget."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import regex  # type: ignore[import-untyped]

from compressors import Span

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(rf"[{_UNSPACED}]\p{{M}}*|[^\s{_UNSPACED}]+")
_EDGES = regex.compile(r"^[^\w]+|[^\w]+$")
_LAST = regex.compile(r"[.!?…。！？]['\"’”»)\]」』]*$")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text: stretches without white space; single characters where a script has no spaces."""

    text: str
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, text: str) -> Words:
        """The words of `text`."""
        return cls(text, tuple(match.span() for match in _WORD.finditer(text)))

    @property
    def forms(self) -> list[str]:
        """Each word as it is counted and looked up: case folded, without punctuation at its edges."""
        return [_EDGES.sub("", self.text[start:end].casefold()) for start, end in self.spans]

    @property
    def sentences(self) -> npt.NDArray[np.int64]:
        """The number of the sentence that each word is in; `(W,)`, rising from 0.

        A sentence ends at a line break, or at a full stop, question or exclamation mark unless a lower-case word
        follows. Abbreviations before a capital are taken for ends.
        """
        ends = [
            "\n" in self.text[end:start]
            or (_LAST.search(self.text, begin, end) is not None and not self.text[start].islower())
            for (begin, end), (start, _) in pairwise(self.spans)
        ]
        return np.concatenate(([0], np.cumsum(ends))).astype(np.int64)[: len(self.spans)]
