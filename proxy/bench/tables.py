"""What was measured as tables. Knows no files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from rich.table import Table

from proxy.bench.outcomes import Beside, Flips, Latency, Measured, Spread

_GIB = 1 << 30


def tables(found: Measured) -> Iterator[Table]:
    """Latency, where the time went, times beside the package, flips: what there is of these."""
    if found.latency:
        yield _latency(found.latency)
        yield _times(found.latency)
    if found.beside:
        yield _beside(found.beside)
    if found.flips:
        yield _flips(found.flips)


def summary(found: Measured) -> str:
    """One line about the model and the machine's rate."""
    parts = [found.model, found.method, found.dtype or "default dtype"]
    if found.parameters is not None and found.multiplied_parameters is not None:
        millions = found.parameters / 1e6, found.multiplied_parameters / 1e6
        parts.append(f"{millions[0]:,.0f} M parameters ({millions[1]:,.0f} M without embeddings)")
    if found.matmul is not None:
        rate, dtype = found.matmul["flops_per_s"], found.matmul["dtype"]
        parts.append(f"matmul {float(str(rate)) / 1e9:,.0f} GFLOP/s in {dtype}")
    if found.peak_bytes is not None:
        parts.append(f"peak {found.peak_bytes / _GIB:.2f} GiB ({found.peak_of})")
    return ", ".join(parts)


def _latency(found: Sequence[Latency]) -> Table:
    gpu = any(each.peak_bytes for each in found)
    figures = ["done", "p50", "p95", "p99", "tokens/s", *(["GiB"] if gpu else [])]
    table = _table("latency in ms", ["tokens", "callers"], figures)
    for first, each in _by_size(table, found):
        done = f"{each.requests}" + (f" of {each.requests + each.unfinished}" if each.unfinished else "")
        cells = [done, *_spread(each.latency), _number(each.tokens_per_s, 0)]
        memory = [_number(None if each.peak_bytes is None else each.peak_bytes / _GIB, 2)] if gpu else []
        table.add_row(first, str(each.concurrency), *cells, *memory)
    return table


def _times(found: Sequence[Latency]) -> Table:
    figures = ["queue", "tokenize", "model", "select", "fill", "use", "in model"]
    table = _table(
        "where the time went, in ms for a text; batch fill and use in %", ["tokens", "callers"], figures
    )
    for first, each in _by_size(table, found):
        table.add_row(
            first,
            str(each.concurrency),
            _spread(each.queue)[0],
            *(_number(ms, 1) for ms in (each.tokenize_ms, each.forward_ms, each.select_ms)),
            _percent(None if each.batches is None else each.batches.fill),
            _percent(each.utilisation),
            _percent(each.model_utilisation),
        )
    return table


def _by_size(table: Table, found: Sequence[Latency]) -> Iterator[tuple[str, Latency]]:
    """Each one, in sections of one size, with the size where a section begins."""
    for size, group in groupby(found, key=lambda each: each.size):
        first = size
        for each in group:
            yield first, each
            first = ""
        table.add_section()


def _beside(found: Sequence[Beside]) -> Table:
    gpu = any(side.grown_bytes is not None for each in found for side in each.sides)
    title = "beside the llmlingua package; words and texts decided alike in %"
    figures = ["tokens", "ms, median", "times", *(["GiB"] if gpu else []), "words", "texts"]
    table = _table(title, ["case", "side"], figures)
    for each in found:
        for number, side in enumerate(each.sides):
            memory = (
                [_number(None if side.grown_bytes is None else side.grown_bytes / _GIB, 2)] if gpu else []
            )
            alike = _percent(each.words_alike, 2), _percent(each.texts_alike)
            table.add_row(
                "" if number else each.case,
                side.name,
                "" if number else f"{each.tokens:,}",
                _number(1000 * median(side.seconds) if side.seconds else None, 1),
                _number(side.times, 2),
                *memory,
                *(alike if "parity" in side.name else ("", "")),
            )
        table.add_section()
    return table


def _flips(found: Sequence[Flips]) -> Table:
    title = f"words decided otherwise, of {found[0].texts:,} texts"
    table = _table(title, ["one way", "the other"], ["words", "otherwise", "%"])
    for each in found:
        share = _percent(each.share, 4)
        table.add_row(each.one, each.other, f"{each.words:,}", f"{each.flipped:,}", share)
    return table


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", min_width=len(title), collapse_padding=True)
    for name in names:
        table.add_column(name, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _spread(found: Spread | None) -> tuple[str, str, str]:
    if found is None:
        return "–", "–", "–"
    return _number(found.p50, 1), _number(found.p95, 1), _number(found.p99, 1)


def _percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
