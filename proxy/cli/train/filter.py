"""`laconic train filter`: leave out samples that align badly."""

from __future__ import annotations

from itertools import chain, compress
from pathlib import Path

import click
from rich.console import Console

from compressors import CompressionError
from compressors.training import labels, lines
from proxy.cli.files import UnusableFileError
from proxy.cli.outputs import check_outputs
from proxy.cli.train.tables import distributions

_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_PERCENTILE = click.FloatRange(0, 100)


@click.command("filter")
@click.argument(
    "paths",
    metavar="ROWS...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--out", metavar="FILE", required=True, type=_OUTPUT, help="What is left (.jsonl or .jsonl.gz)."
)
@click.option(
    "--variation-percentile",
    type=_PERCENTILE,
    default=95.0,
    show_default=True,
    help="Of variation rate; samples at or above it are dropped.",
)
@click.option(
    "--gap-percentile",
    type=_PERCENTILE,
    default=90.0,
    show_default=True,
    help="Of alignment gap among the rest; samples at or above it are dropped.",
)
@click.option(
    "--plot", "plot_path", metavar="FILE", type=_OUTPUT, help="Draw the distributions (.png or .svg)."
)
def command(
    paths: tuple[Path, ...],
    out: Path,
    variation_percentile: float,
    gap_percentile: float,
    plot_path: Path | None,
) -> None:
    """Drop from ROWS, which `annotate` wrote, the samples that an LLM changed most, then those that align worst.

    What has no variation or no gap at all is never dropped for it. Takes seconds, so an interruption leaves nothing
    behind: FILE is written whole or not at all.
    """
    check_outputs(out, plot_path, extra="train")
    try:
        rows = list(chain.from_iterable(map(lines.read, paths)))
        measures = {name: [_measure(row, name, place) for place, row in rows] for name in labels.MEASURES}
        if not rows:
            raise CompressionError(f"{', '.join(map(str, paths))}: no rows")
        found = labels.filter_samples(
            measures["variation_rate"],
            measures["alignment_gap"],
            variation_percentile=variation_percentile,
            gap_percentile=gap_percentile,
        )
        lines.write(out, (row for _, row in compress(rows, found.kept)))
    except (CompressionError, OSError) as error:
        raise UnusableFileError(str(error)) from error
    highest = {"variation_rate": found.highest_variation, "alignment_gap": found.highest_gap}
    if plot_path is not None:
        labels.plot(measures, highest, plot_path)
    console = Console(highlight=False)
    console.print(distributions(measures))
    console.print(
        f"kept {found.kept.sum()} of {len(rows)}: dropped variation rates from {found.highest_variation:.3f} "
        f"(P{variation_percentile:g}) on, then alignment gaps from {found.highest_gap:.3f} (P{gap_percentile:g}) on",
        soft_wrap=True,
    )


def _measure(row: lines.Row, name: str, place: str) -> float:
    value = row.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise CompressionError(f"{place}: {name}: expected a number, as `laconic train annotate` writes it")
    return value
