"""`laconic eval`: how much of what matters survives, for each method and rate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

import compressors
from policies.tokens import encoding_name, tokenizer
from proxy.cli.files import UnusableFileError
from proxy.cli.outputs import check_outputs
from proxy.evaluation.baselines import BASELINES
from proxy.evaluation.cases import DataSet
from proxy.evaluation.methods import methods, one_of
from proxy.evaluation.outcomes import Outcome, Ranking, Retention
from proxy.evaluation.plot import plot
from proxy.evaluation.reading import read
from proxy.evaluation.record import record
from proxy.evaluation.rows import RowError
from proxy.evaluation.strategy import strategy
from proxy.evaluation.suite import Suite
from proxy.evaluation.tables import tables

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("eval")
@click.argument("paths", metavar="DATA...", nargs=-1, required=True, type=_FILE)
@click.option(
    "--method",
    "names",
    multiple=True,
    default=("llmlingua2", "baselines"),
    show_default=True,
    help=f"A compressor, a baseline ({', '.join(BASELINES)}) or `baselines` for all; repeatable. "
    "NAME:compat takes the decisions of the llmlingua package.",
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    type=click.FloatRange(0, 1, min_open=True),
    default=(0.5, 0.33, 0.25),
    show_default=True,
    help="Kept share; repeatable.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("embedded",),
    show_default=True,
    help="A model for the compressors; repeatable.",
)
@click.option(
    "--match",
    metavar="METHOD",
    help="Give the others as many tokens of each text as this one of the methods takes, in place of --rate.",
)
@click.option(
    "--ranker",
    "rankers",
    multiple=True,
    help="Also rank documents by this: bm25, embedding, perplexity, gzip, embedding:MODEL, perplexity:MODEL, "
    "reranker:MODEL, or several as bm25+embedding; repeatable.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="The compressors' strategy; repeatable."
)
@click.option("--limit", type=click.IntRange(1), help="As many cases of each file, drawn at random.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of whatever is random.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option("--count-as", default="gpt-4o", show_default=True, help="Model whose tokens are counted.")
@click.option("--json", "json_path", metavar="FILE", type=_OUTPUT, help="Write all figures.")
@click.option(
    "--plot", "plot_path", metavar="FILE", type=_OUTPUT, help="Draw answers over tokens, PNG or SVG."
)
def command(
    paths: tuple[Path, ...],
    names: tuple[str, ...],
    rates: tuple[float, ...],
    models: tuple[str, ...],
    match: str | None,
    rankers: tuple[str, ...],
    settings: tuple[str, ...],
    limit: int | None,
    seed: int,
    device: str,
    count_as: str,
    json_path: Path | None,
    plot_path: Path | None,
) -> None:
    """Measure what survives in the texts of DATA when methods shorten them.

    This measures retention, not accuracy: no language model answers anything. An answer is retained if one of the
    gold answers still stands in the shortened text as a whole, in any case and white space. All methods are
    given the same number of tokens.

    DATA are files of JSON lines, plain or .gz. A row has a `question`, its `answers` (a list, any of them is right) and
    either a `context`, or `documents` (texts, or objects with `title` and `text`) with `gold`, the number from 0 of the
    document that holds the answer. Rows with `words` and `labels` (1 kept, 0 dropped) measure how well a method's
    word probabilities fit a reference. Rows with a chat `request`, as captures hold them, measure what is left of
    the numbers, names and negations in messages, with and without what policies protect by default.
    """
    check_outputs(json_path, plot_path)
    try:
        found = methods(names, models)
        suite = Suite(
            data=_read(paths, limit, seed),
            methods=found,
            match=None if match is None else one_of(found, match),
            rankers=rankers,
            rates=rates,
            tokenizer=tokenizer(encoding_name(count_as)),
            strategy=strategy(settings),
            device=device,
            seed=seed,
        )
    except (RowError, ValueError) as error:
        raise UnusableFileError(str(error)) from error
    outcomes = _outcomes(suite)
    if json_path is not None:
        options = {"limit": limit, "match": match, "strategy": settings}
        _write(json_path, suite, outcomes, options)
    if plot_path is not None:
        plot([outcome for outcome in outcomes if isinstance(outcome, Retention)], plot_path)


def _read(paths: Sequence[Path], limit: int | None, seed: int) -> list[DataSet]:
    found = [read(path, limit, seed) for path in paths]
    names = Counter(data.name for data in found)
    for name, count in names.items():
        if count > 1:
            raise UnusableFileError(f"{count} files are called {name}: their figures couldn't be told apart")
    return found


def _outcomes(suite: Suite) -> list[Outcome]:
    """Run the suite and print its tables, and on standard error what went wrong."""
    console, errors = Console(), Console(stderr=True, highlight=False, markup=False)
    try:
        with errors.status("reading") as status:
            outcomes = suite.outcomes(status.update)
    except compressors.CompressionError as error:
        raise UnusableFileError(str(error)) from error
    for table in tables(outcomes):
        console.print(table)
    if not outcomes:
        errors.print(
            "Nothing to show: none of these methods gives word probabilities to compare with labels."
        )
    for outcome in outcomes:
        if outcome.failures:
            who = outcome.ranker if isinstance(outcome, Ranking) else outcome.method.label
            place, reason = outcome.failures[0]
            errors.print(f"{who}: {len(outcome.failures)} failed, first {place}: {reason}")
    return outcomes


def _write(path: Path, suite: Suite, outcomes: Sequence[Outcome], options: Mapping[str, object]) -> None:
    settings = {"count_as": suite.tokenizer.encoding, "device": suite.device, "seed": suite.seed, **options}
    document = record(outcomes, suite.data, settings, compressors.environment())
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
