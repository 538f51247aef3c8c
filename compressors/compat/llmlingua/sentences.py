"""The sentences that stay, as `llmlingua` 0.2.2 chooses them. Knows no tokens beyond their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

from compressors.base import Span
from compressors.compat.llmlingua.contexts import Context, Run
from compressors.sentences import sentences

Split = Callable[[str], list[str]]
"""Cuts a text into sentences, in order; white space between them may be missing."""
_SIGHT = 5
"""Characters by which the package finds the next sentence."""


def punkt(text: str) -> list[str]:
    """The sentences of nltk's English punkt model, which the package uses; our own where it isn't installed."""
    try:
        import nltk  # type: ignore[import-untyped]

        found: list[str] = nltk.sent_tokenize(text)
    except (ImportError, LookupError):
        return [text[start:end] for start, end in sentences(text)]
    return found


def sentence_spans(text: str, split: Split) -> list[Span]:
    """The sentences of `text`, each with the white space after it: ascending spans without gaps."""
    found = [sentence for sentence in split(text) if sentence]
    starts = [0]
    end = len(found[0]) if found and text.startswith(found[0]) else 0
    for sentence in found[1:]:
        start = text.find(sentence[:_SIGHT], end)
        if start < 0:
            break  # the package fails where the splitter rewrote the text
        starts.append(start)
        end = start + len(sentence)
    bounds = [*dict.fromkeys(starts), len(text)]
    return [span for span in pairwise(bounds) if span[0] < span[1]]


def cut(context: Context, spans: Sequence[Span]) -> list[Context]:
    """The parts `spans` of a context, as contexts of their own."""
    return [
        Context(
            context.number,
            context.text[start:end],
            tuple(_within(context.spans, start, end)),
            None if context.runs is None else tuple(_clipped(context.runs, start, end)),
        )
        for start, end in spans
    ]


def joined(parts: Sequence[Context], empty: Context) -> Context:
    """One context of neighbouring `parts`; `empty` names it if there are none."""
    runs = None if empty.runs is None else tuple(run for part in parts for run in part.runs or ())
    text = "".join(part.text for part in parts)
    return Context(empty.number, text, tuple(span for part in parts for span in part.spans), runs)


def preferred(
    scores: Sequence[float], groups: Sequence[int], first: int, last: int, each: int, bonus: float
) -> list[float]:
    """`scores` with a bonus for the first and last sentences of all and for the `each` lowest of each context.

    `groups` are the numbers of sentences in each context.
    """
    result = list(scores)
    if first:
        result[:first] = [score + bonus for score in result[:first]]
    if last:
        result[-last:] = [score + bonus for score in result[-last:]]
    for start, end in pairwise([0, *accumulate(groups)]):
        for place in sorted(set(range(start, end)), key=lambda i: result[i])[:each]:
            result[place] += bonus
    return result


def affordable(order: Sequence[int], costs: Sequence[int], budget: float) -> set[int]:
    """The first sentences of `order` until the budget is overdrawn; the one that does still stays."""
    kept = set()
    for place in order:
        budget -= costs[place]
        kept.add(place)
        if budget < 0:
            break
    return kept


def _within(spans: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    """What characters `start` to `end` of the pieces' concatenation come from."""
    offset = 0
    for low, high in spans:
        first, last = max(low, low + start - offset), min(high, low + end - offset)
        if first < last:
            yield first, last
        offset += high - low


def _clipped(runs: Sequence[Run], start: int, end: int) -> Iterator[Run]:
    offset = 0
    for run in runs:
        shared = min(offset + run.characters, end) - max(offset, start)
        if shared > 0:
            yield run._replace(characters=shared)
        offset += run.characters
