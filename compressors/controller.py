"""The budget controller: how much of a budget goes to which documents and sentences.

LLMLingua (Jiang et al., EMNLP 2023, §4.1) and LongLLMLingua (Jiang et al., ACL 2024, §4.1 and §4.3). Knows
drafts and scores, but no model.
D: documents, S: sentences, W: words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compressors.base import Span
from compressors.documents import affordable, document_costs
from compressors.drafting import Draft
from compressors.expression import budget
from compressors.scores import Scores
from compressors.words import Mask, Offsets


def document_target(draft: Draft) -> float:
    """Tokens that may stay of the documents: the budget less what the text around them takes."""
    inside = draft.documents >= 0
    if not inside.any():
        return draft.target()
    around = np.ones(len(inside), dtype=np.bool_)
    places = np.flatnonzero(inside)
    around[places[0] : places[-1] + 1] = False
    fixed = around & (draft.pinned | draft.wanted)
    spent = draft.costs[fixed].sum() + draft.rate() * draft.costs[around & ~fixed].sum()
    return max(draft.target() - float(spent), 0.0)


def kept_documents(draft: Draft, order: Sequence[int]) -> Mask:
    """Which documents stay, of all in their `order`, best first; `(D,)` bool.

    The best that fit the document budget. Worse ones go as well as long as what may not be dropped of the
    others exceeds the target.
    """
    strategy, target = draft.job.strategy, document_target(draft)
    if not strategy.document_filter:
        return np.ones(len(order), dtype=np.bool_)
    costs = document_costs(draft)
    kept = affordable(
        order,
        costs,
        budget(strategy.document_budget, target),
        strategy.kept_documents,
        strategy.min_documents,
    )
    inside = (draft.documents >= 0) & (draft.pinned | draft.wanted)
    fixed = np.bincount(draft.documents[inside], weights=draft.costs[inside], minlength=len(order))  # (D,)
    for place in reversed(order):
        least = max(1, strategy.min_documents)
        if fixed[kept].sum() <= target or kept.sum() <= least:
            break
        if place not in strategy.kept_documents:
            kept[place] = False
    return kept


def dropped_sentences(
    draft: Draft, sentences: Sequence[Span], values: npt.NDArray[np.float64], dropped: Mask
) -> Mask:
    """Words of the sentences that go, beside those already `dropped` (`(W,)` bool); `(W,)` bool.

    Sentences stay in the order of their `values` (`(S,)`, higher is better), preferred ones first, until
    the sentence budget is spent.
    """
    strategy = draft.job.strategy
    number = sentence_numbers(draft.words.starts, sentences)  # (W,)
    open_ = (draft.documents >= 0 if draft.job.contexts else ~draft.blocks) & ~draft.heads & ~dropped
    costs = np.bincount(number[open_], weights=draft.costs[open_], minlength=len(sentences))  # (S,)
    inhabited = np.flatnonzero(costs > 0)
    preferred = _preferred(draft, number, open_, strategy.first_sentences, strategy.last_sentences)
    order = sorted(inhabited.tolist(), key=lambda place: (place not in preferred, -values[place], place))
    allowance = strategy.sentence_budget * document_target(draft)
    kept = affordable(order, costs.astype(np.int64), allowance, minimum=strategy.min_sentences)
    result: Mask = open_ & ~kept[number]
    return result


def sentence_numbers(places: Offsets, sentences: Sequence[Span]) -> Offsets:
    """The sentence that each of `places`, where words or tokens begin, lies in; same shape, int64."""
    starts = np.array([start for start, _ in sentences])
    return np.maximum(np.searchsorted(starts, places, side="right") - 1, 0)


def _preferred(draft: Draft, number: Offsets, open_: Mask, first: int, last: int) -> set[int]:
    """The sentences at the start and the end of each document."""
    preferred: set[int] = set()
    if first or last:
        for document in np.unique(draft.documents[open_]).tolist():
            own = np.unique(number[open_ & (draft.documents == document)]).tolist()
            preferred |= {*own[:first], *(own[-last:] if last else ())}
    return preferred


def scheduled(draft: Draft, scores: Scores, order: Sequence[int], ratio: float) -> Scores:
    """Scores by which better documents keep more of their words, linearly over the ranks; `(W,)` int64.

    A document's words are ranked among themselves; its share grows by `ratio` for the best and falls by as
    much for the worst of `order` (LongLLMLingua, equation 5), while the whole still meets one budget.
    """
    if not ratio or len(order) < 2:
        return scores
    shares = np.zeros(len(scores))
    bonus = {place: ratio * (1 - 2 * rank / (len(order) - 1)) for rank, place in enumerate(order)}
    for document in np.unique(draft.documents).tolist():
        own = np.flatnonzero(draft.documents == document)
        ranked = own[np.argsort(-scores[own], kind="stable")]
        costs = np.cumsum(draft.costs[ranked])
        shares[ranked] = bonus.get(document, 0.0) - costs / max(costs[-1], 1)
    result: Scores = np.rint(shares * 4096).astype(np.int64)
    return result
