"""Whole documents that go, stay or change places. Knows words, costs and scores only; no model.

D: documents of a text, W: its words.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from compressors.base import Span
from compressors.scores import quantised
from compressors.words import Mask, Offsets

if TYPE_CHECKING:
    from compressors.drafting import Draft


@dataclass(frozen=True, slots=True)
class Choice:
    """What follows for a text's words from which documents stay."""

    dropped: Mask
    """Words that go with their document; `(W,)` bool."""
    joints: Mask
    """Words that separate documents which stay; `(W,)` bool."""


def document_numbers(places: Offsets, contexts: Sequence[Span]) -> Offsets:
    """The document that each of `places`, where words or tokens begin, lies in, -1 for none; same shape, int64."""
    if not contexts:
        return np.full(len(places), -1, dtype=np.int64)
    spans = np.array(contexts, dtype=np.int64)  # (D, 2)
    number = np.searchsorted(spans[:, 0], places, side="right") - 1
    return np.where(places < spans[number, 1], number, -1)


def document_costs(draft: Draft) -> Offsets:
    """Billed tokens of each document; `(D,)` int64."""
    inside = draft.documents >= 0
    return np.bincount(
        draft.documents[inside], weights=draft.costs[inside], minlength=len(draft.job.contexts)
    ).astype(np.int64)


def chosen(draft: Draft, kept: Mask) -> Choice:
    """The words of a draft of whose documents those marked in `kept` (`(D,)` bool) stay.

    What lies between two documents goes with the second, and with the first one that stays. One document
    with something in it stays in any case; where all that is more than white space would go, nothing does.
    """
    contexts = draft.job.contexts
    if not contexts:
        nothing = np.zeros(len(draft.words), dtype=np.bool_)
        return Choice(nothing, nothing)
    filled = np.isin(np.arange(len(contexts)), draft.documents[draft.inked])  # (D,)
    if filled.any() and not (kept & filled).any():
        kept = kept | (np.arange(len(contexts)) == np.argmax(filled))
    starts = np.array([start for start, _ in contexts])
    following = np.searchsorted(
        starts, draft.words.starts, side="right"
    )  # (W,): the document after each word
    between = (draft.documents < 0) & (following > 0) & (following < len(contexts))
    kept_before = np.concatenate(([False], np.logical_or.accumulate(kept)))  # (D+1,)
    joined = kept_before[following] & np.append(kept, False)[following]  # (W,)
    dropped = ((draft.documents >= 0) & ~kept[draft.documents]) | (between & ~joined)  # (W,)
    if draft.inked.any() and dropped[draft.inked].all():
        return chosen(draft, np.ones_like(kept))
    return Choice(dropped, between & joined)


def affordable(
    order: Sequence[int], costs: Offsets, budget: float, always: Sequence[int] = (), minimum: int = 0
) -> Mask:
    """Which documents stay: the best of `order` until the first that exceeds `budget`, that one included.

    At least `minimum` stay, and those in `always`, which are paid for first. `(D,)` bool.
    """
    kept = np.zeros(len(costs), dtype=np.bool_)
    kept[[place for place in always if place < len(costs)]] = True
    left = budget - costs[kept].sum()
    for place in order:
        if left < 0 and kept.sum() >= minimum:
            break
        if not kept[place]:
            kept[place] = True
            left -= costs[place]
    return kept


def best_documents(draft: Draft, probabilities: npt.NDArray[np.float64], share: float) -> Choice:
    """LLMLingua-2's context filter: the documents whose words are likeliest kept, until `share` of all tokens.

    `probabilities` are the words' own, `(W,)`; a document counts by their mean, ties by position.
    """
    count = len(draft.job.contexts)
    if not count or share >= 1:
        return chosen(draft, np.ones(count, dtype=np.bool_))
    inside = draft.documents >= 0
    own = draft.documents[inside]
    words = np.bincount(own, minlength=count)  # (D,)
    mean = np.bincount(own, weights=probabilities[inside], minlength=count) / np.maximum(words, 1)
    costs = document_costs(draft)
    order = np.argsort(-quantised(mean), kind="stable")
    before = np.cumsum(costs[order]) - costs[order]  # tokens of all better documents
    kept = np.zeros(count, dtype=np.bool_)
    kept[order[before < share * costs.sum()]] = True
    return chosen(draft, kept)


def arranged(spans: Sequence[Span], contexts: Sequence[Span], order: Sequence[int]) -> tuple[Span, ...]:
    """The ascending `spans` with documents in the `order` given by their places.

    What separates documents stays where it is; documents without a span are passed over.
    """
    edges = sorted({edge for context in contexts for edge in context})
    pieces = [
        piece
        for start, end in spans
        for piece in pairwise([start, *edges[bisect_right(edges, start) : bisect_left(edges, end)], end])
    ]
    starts = [start for start, _ in contexts]

    def place(piece: Span) -> int:
        number = bisect_right(starts, piece[0]) - 1
        return number if number in order and piece[0] < contexts[number][1] else -1

    groups = [(number, list(group)) for number, group in groupby(pieces, key=place)]
    own = dict(groups)
    queue = iter([number for number in order if number in own])
    return tuple(piece for number, group in groups for piece in (group if number < 0 else own[next(queue)]))
