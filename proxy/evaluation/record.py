"""The outcomes as JSON.

The document, shares in [0, 1] and null where there was nothing to count:

    measures    what the figures mean and what they don't
    date, hardware, versions        see `compressors.environment`
    settings    count_as (encoding), device, seed, limit, match (whose tokens the others were given, in place of a
                rate), strategy (what differs from the default)
    data        [{name, cases, labelled, messages}]
    retention   [{data, method, model, rate,
                  cases, failed, unreadable,         failed ones are left out of all other figures
                  original_tokens, kept_tokens, kept,
                  with_answer, retained, retention,  of `with_answer` cases whose whole text holds an answer
                  seconds, ms_per_case, tokens_per_s (original tokens),
                  positions: [{position, with_answer, retained, retention}],     of the gold document, from 1
                  failures: [{place, error}]}]
    rankings    [{data, ranker, cases, failed, mean_rank, recall: {"1", "3", "5"}, seconds, ms_per_case, failures}]
    words       [{data, method, model, texts, failed, f1, average_precision, failures}]
    survival    [{data, method, model, rate, protected,    whether what policies protect by default had to stay
                  texts, failed, unreadable, original_tokens, kept_tokens, kept,
                  numbers, names, negations: {words, kept_words, kept},    in the messages, and what of them is left
                  seconds, failures}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proxy.evaluation.cases import DataSet
from proxy.evaluation.outcomes import Outcome, Ranking, Retention, Share, Survival, WordFit, mean

MEASURES = (
    "Retention, not accuracy: no language model answered anything. An answer is retained if one of the gold answers "
    "stands in the shortened text as a whole, in any case and white space, wherever it stands."
)
RECALLS = (1, 3, 5)


def record(
    outcomes: Sequence[Outcome],
    data: Sequence[DataSet],
    settings: Mapping[str, object],
    environment: Mapping[str, object],
) -> dict[str, object]:
    """The document described above."""
    return {
        "measures": MEASURES,
        **environment,
        "settings": dict(settings),
        "data": [
            {
                "name": each.name,
                "cases": len(each.cases),
                "labelled": len(each.labelled),
                "messages": len(each.messages),
            }
            for each in data
        ],
        "retention": [_retention(each) for each in outcomes if isinstance(each, Retention)],
        "rankings": [_ranking(each) for each in outcomes if isinstance(each, Ranking)],
        "words": [_words(each) for each in outcomes if isinstance(each, WordFit)],
        "survival": [_survival(each) for each in outcomes if isinstance(each, Survival)],
    }


def ms_per_case(outcome: Retention | Ranking) -> float | None:
    """Milliseconds of the calls for one case."""
    cases = outcome.cases if isinstance(outcome, Retention) else len(outcome.ranks)
    return 1000 * outcome.seconds / cases if cases else None


def tokens_per_s(outcome: Retention) -> float | None:
    """Original tokens a second."""
    return outcome.tokens.whole / outcome.seconds if outcome.seconds else None


def _retention(outcome: Retention) -> dict[str, object]:
    return {
        "data": outcome.data,
        "method": outcome.method.title,
        "model": outcome.method.model,
        "rate": outcome.rate,
        "cases": outcome.cases,
        "failed": len(outcome.failures),
        "unreadable": outcome.unreadable,
        "original_tokens": outcome.tokens.whole,
        "kept_tokens": outcome.tokens.part,
        "kept": outcome.tokens.value,
        **_retained(outcome.answers),
        "seconds": outcome.seconds,
        "ms_per_case": ms_per_case(outcome),
        "tokens_per_s": tokens_per_s(outcome),
        "positions": [
            {"position": position, **_retained(share)}
            for position, share in sorted(outcome.positions.items())
        ],
        "failures": _failures(outcome.failures),
    }


def _retained(share: Share) -> dict[str, object]:
    return {"with_answer": share.whole, "retained": share.part, "retention": share.value}


def _ranking(outcome: Ranking) -> dict[str, object]:
    return {
        "data": outcome.data,
        "ranker": outcome.ranker,
        "cases": len(outcome.ranks),
        "failed": len(outcome.failures),
        "mean_rank": outcome.mean_rank,
        "recall": {str(k): outcome.recall(k) for k in RECALLS},
        "seconds": outcome.seconds,
        "ms_per_case": ms_per_case(outcome),
        "failures": _failures(outcome.failures),
    }


def _words(outcome: WordFit) -> dict[str, object]:
    return {
        "data": outcome.data,
        "method": outcome.method.title,
        "model": outcome.method.model,
        "texts": len(outcome.f1),
        "failed": len(outcome.failures),
        "f1": mean(outcome.f1),
        "average_precision": mean(outcome.average_precision),
        "failures": _failures(outcome.failures),
    }


def _survival(outcome: Survival) -> dict[str, object]:
    return {
        "data": outcome.data,
        "method": outcome.method.title,
        "model": outcome.method.model,
        "rate": outcome.rate,
        "protected": outcome.protected,
        "texts": outcome.texts,
        "failed": len(outcome.failures),
        "unreadable": outcome.unreadable,
        "original_tokens": outcome.tokens.whole,
        "kept_tokens": outcome.tokens.part,
        "kept": outcome.tokens.value,
        **{
            kind: {"words": share.whole, "kept_words": share.part, "kept": share.value}
            for kind, share in outcome.kinds.items()
        },
        "seconds": outcome.seconds,
        "failures": _failures(outcome.failures),
    }


def _failures(failures: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"place": place, "error": error} for place, error in failures]
