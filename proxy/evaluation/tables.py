"""The outcomes as tables that fit a terminal of 80 columns. Knows no files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from rich.table import Table

from proxy.evaluation.kinds import KINDS
from proxy.evaluation.outcomes import Outcome, Ranking, Retention, Survival, WordFit, mean
from proxy.evaluation.record import RECALLS, ms_per_case, tokens_per_s

Rated = TypeVar("Rated", Retention, Survival)
CAPTION = "Retention, not accuracy: no language model answered anything here."


def tables(outcomes: Sequence[Outcome]) -> Iterator[Table]:
    """For each data set: retention, retention by gold position, rankers, fit to word labels, words by kind; what
    there is of these."""
    for data, some in groupby(outcomes, key=lambda outcome: outcome.data):
        found = list(some)
        retentions = [each for each in found if isinstance(each, Retention)]
        if retentions:
            yield _retention(data, retentions)
        if any(each.positions for each in retentions):
            yield _positions(data, retentions)
        if rankings := [each for each in found if isinstance(each, Ranking)]:
            yield _rankings(data, rankings)
        if fits := [each for each in found if isinstance(each, WordFit)]:
            yield _words(data, fits)
        if survivals := [each for each in found if isinstance(each, Survival)]:
            yield _kinds(data, survivals)


def _retention(data: str, outcomes: Sequence[Retention]) -> Table:
    texts = max(each.answers.whole for each in outcomes)
    title = f"{data}: tokens and answers that survive, in %; {texts} texts hold an answer"
    table = _table(title, ["rate", "method"], ["tokens", "answers", "s", "ms/case", "tokens/s"])
    unusual = _unusual(table, outcomes)
    for first, each in _by_rate(table, outcomes):
        cells = [
            _percent(each.tokens.value),
            _percent(each.answers.value),
            _number(each.seconds, 2),
            _number(ms_per_case(each), 1),
            _number(tokens_per_s(each), 0),
        ]
        table.add_row(first, each.method.label, *cells, *(str(count(each)) for count in unusual))
    return table


def _unusual(table: Table, outcomes: Sequence[Rated]) -> list[Callable[[Rated], int]]:
    """How to count what went as it came or not at all, where there is some of it; each gets a column."""
    counts: dict[str, Callable[[Rated], int]] = {
        "failed": lambda each: len(each.failures),
        "unreadable": lambda each: each.unreadable,
    }
    found = {name: count for name, count in counts.items() if any(map(count, outcomes))}
    for name in found:
        table.add_column(name, justify="right", no_wrap=True)
    return list(found.values())


def _positions(data: str, outcomes: Sequence[Retention]) -> Table:
    places = sorted({place for each in outcomes for place in each.positions})
    title = f"{data}: answers that survive in %, by the gold document's position"
    table = _table(title, ["rate", "method"], list(map(str, places)))
    for first, each in _by_rate(table, outcomes):
        shares = [each.positions.get(place) for place in places]
        cells = ["–" if share is None else _percent(share.value, 0) for share in shares]
        table.add_row(first, each.method.label, *cells)
    return table


def _by_rate(table: Table, outcomes: Sequence[Rated]) -> Iterator[tuple[str, Rated]]:
    """Each outcome, in sections of one rate, with the rate where a section begins."""
    for rate, group in groupby(outcomes, key=lambda outcome: outcome.rate):
        first = f"{rate:g}"
        for each in group:
            yield first, each
            first = ""
        table.add_section()


def _rankings(data: str, outcomes: Sequence[Ranking]) -> Table:
    figures = ["cases", "failed", "mean rank", *(f"@{k}" for k in RECALLS), "ms/case"]
    table = _table(f"{data}: where the gold document ranks, recall@k in %", ["ranker"], figures)
    for each in outcomes:
        table.add_row(
            each.ranker,
            str(len(each.ranks)),
            str(len(each.failures)),
            _number(each.mean_rank, 2),
            *(_percent(each.recall(k)) for k in RECALLS),
            _number(ms_per_case(each), 1),
        )
    return table


def _words(data: str, outcomes: Sequence[WordFit]) -> Table:
    title = f"{data}: words kept as in the reference, as many as it kept"
    table = _table(title, ["method"], ["texts", "failed", "F1", "average precision"])
    for each in outcomes:
        table.add_row(
            each.method.label,
            str(len(each.f1)),
            str(len(each.failures)),
            _number(mean(each.f1), 3),
            _number(mean(each.average_precision), 3),
        )
    return table


def _kinds(data: str, outcomes: Sequence[Survival]) -> Table:
    texts = max(each.texts for each in outcomes)
    title = f"{data}: tokens and words that survive, in %; {texts} texts"
    table = _table(title, ["rate", "method"], ["tokens", *KINDS])
    unusual = _unusual(table, outcomes)
    for first, each in _by_rate(table, outcomes):
        cells = [_percent(share.value) for share in (each.tokens, *each.kinds.values())]
        table.add_row(first, each.label, *cells, *(str(count(each)) for count in unusual))
    return table


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(title=title, caption=CAPTION, title_justify="left", caption_justify="left")
    table.min_width = max(len(title), len(CAPTION))  # neither is wrapped
    for name in names:
        table.add_column(name, overflow="fold")
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
