"""From a text and its shortened form to word labels and measures of how well the two align."""

from __future__ import annotations

from dataclasses import dataclass

from compressors.training.labels.alignment import WINDOW, align
from compressors.training.labels.forms import Forms
from compressors.words import split

MEASURES = ("variation_rate", "hitting_rate", "matching_rate", "alignment_gap")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text's words, which of them were kept, and the measures of LLMLingua-2 (Pan et al. 2024, section 3.3)."""

    words: list[str]
    labels: list[int]
    """1 keep, 0 drop."""
    variation_rate: float
    """Share of the shortened text's words that don't occur in the text, in [0, 1]."""
    hitting_rate: float
    """Words of the shortened text that occur in the text, by the text's words: above 1 if many come twice."""
    matching_rate: float
    """Share of the text's words that are kept, in [0, 1]."""
    alignment_gap: float
    """Hitting rate less matching rate, at least 0: words that occur in the text, but too often or out of reach."""


def annotate(text: str, compressed: str, forms: Forms, window: int = WINDOW) -> Annotation:
    """Label the words of `text`, cut as at inference, by whether they stay in `compressed`.

    Raises `ValueError` if either has no words.
    """
    words, shortened = _words(text), _words(compressed)
    if not words or not shortened:
        raise ValueError("a text without words can't be annotated")
    kept = set(align(words, shortened, forms, window)) - {None}
    stems = set(map(forms.stem, words))
    hits = sum(forms.stem(word) in stems for word in shortened)
    hitting, matching = hits / len(words), len(kept) / len(words)
    return Annotation(
        words=words,
        labels=[int(index in kept) for index in range(len(words))],
        variation_rate=1 - hits / len(shortened),
        hitting_rate=hitting,
        matching_rate=matching,
        alignment_gap=hitting - matching,
    )


def _words(text: str) -> list[str]:
    found = split(text)
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]
