"""`laconic train annotate`: label the words of texts by what an LLM kept of them."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from compressors import CompressionError
from compressors.training import labels, lines
from proxy.cli.files import UnusableFileError
from proxy.cli.train.progress import progress
from proxy.cli.train.tables import distributions


@click.command("annotate")
@click.argument(
    "paths",
    metavar="PAIRS...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Labelled rows (.jsonl); the same command goes on with them after an interruption.",
)
@click.option(
    "--language",
    default="english",
    show_default=True,
    help="Whose inflected forms count as one word (any of Snowball's, such as german or french), or `none`.",
)
@click.option(
    "--window",
    type=click.IntRange(1),
    default=labels.WINDOW,
    show_default=True,
    help="Words that are searched forward and backward for one that the LLM wrote.",
)
def command(paths: tuple[Path, ...], out: Path, language: str, window: int) -> None:
    """Find in PAIRS the words of each text that its shortened form kept: label 1, the others 0.

    PAIRS are what `distill` writes, or other JSON lines (plain or .gz) with `text` and `compressed`. Each row also gets
    its variation rate (words that the LLM made up), hitting rate, matching rate (words kept) and alignment gap (words
    that could not be placed), by which `filter` drops the worst.
    """
    found: dict[str, list[float]] = {name: [] for name in labels.MEASURES}
    try:
        forms = labels.Forms(language)
        with lines.Growing(out) as output, progress("annotating", "texts") as advance:
            done = output.rows()
            for place, pair in chain.from_iterable(map(lines.read, paths)):
                row = _done(next(done, None), pair)
                if row is None:
                    row = _annotated(place, pair, forms, window)
                    output.add(row)
                for name, values in found.items():
                    values.append(row[name])
                advance()
            if next(done, None) is not None:
                raise CompressionError(f"{out} has rows of other pairs; name another file")
    except (CompressionError, OSError) as error:
        raise UnusableFileError(str(error)) from error
    Console().print(distributions(found))


def _done(written: tuple[str, lines.Row] | None, pair: lines.Row) -> lines.Row | None:
    """The row that was written for `pair` before an interruption, if there is one."""
    if written is None:
        return None
    place, row = written
    if row.get("text") != pair.get("text") or not all(name in row for name in labels.MEASURES):
        raise CompressionError(f"{place}: not the row of these pairs; name another file")
    return row


def _annotated(place: str, pair: lines.Row, forms: labels.Forms, window: int) -> dict[str, Any]:
    text, compressed = (lines.text_of(pair, field, place) for field in ("text", "compressed"))
    try:
        annotation = labels.annotate(text, compressed, forms, window)
    except ValueError as error:
        raise CompressionError(f"{place}: {error}") from error
    rest = {name: value for name, value in pair.items() if name not in ("text", "compressed")}
    measures = {name: round(getattr(annotation, name), 6) for name in labels.MEASURES}
    return {"text": text, "words": annotation.words, "labels": annotation.labels, **rest, **measures}
