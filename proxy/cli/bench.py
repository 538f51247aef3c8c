"""`laconic bench`: how fast texts are shortened here, alone and beside the llmlingua package."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

import compressors
from policies.config import Method
from proxy.bench.outcomes import Measured
from proxy.bench.plan import Plan
from proxy.bench.plot import plot
from proxy.bench.record import record
from proxy.bench.run import measured
from proxy.bench.tables import summary, tables
from proxy.cli.files import UnusableFileError
from proxy.cli.outputs import check_outputs

_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)
_DEFAULT = Plan()
_QUICK: dict[str, Any] = {
    "sizes": (60, 500),
    "concurrency": (1, 8),
    "rounds": 2,
    "limit_s": 5.0,
    "messages": 20,
}


def _numbers(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Positive whole numbers with commas between them."""
    if value is None:
        return None
    parts = value.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"{value!r}: expected whole numbers from 1 with commas between them")
    return tuple(int(part) for part in parts)


@click.command("bench")
@click.option(
    "--model",
    "models",
    multiple=True,
    default=_DEFAULT.models,
    show_default=True,
    help="`embedded`, a folder, a name on the Hugging Face hub, or random weights of a shape: shape:mbert, "
    "shape:xlm-roberta-large, shape:gpt2, shape:qwen2.5-0.5b, shape:phi-2, shape:llama-2-7b. "
    "shape:NAME@FOLDER takes the tokenizer in FOLDER, shape:NAME@bytes a byte-level one. Repeatable.",
)
@click.option(
    "--method",
    type=click.Choice(get_args(Method)),
    help="By default longllmlingua for causal shapes, else llmlingua2.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option(
    "--dtype",
    help="float32, float16, bfloat16 or int8, as in the configuration; by default what suits the device.",
)
@click.option("--threads", type=click.IntRange(1), help="Torch's CPU threads.")
@click.option(
    "--sizes", metavar="N,N,…", callback=_numbers, help="Tokens of a text.  [default: 60,500,2000,8000]"
)
@click.option(
    "--concurrency", metavar="N,N,…", callback=_numbers, help="Callers at a time.  [default: 1,8,64]"
)
@click.option(
    "--rounds", type=click.IntRange(1), help="Requests of each caller, turns of each side.  [default: 5]"
)
@click.option(
    "--limit",
    "limit_s",
    type=click.FloatRange(0, min_open=True),
    help="Seconds for one size at one concurrency, after which no further requests are made.  [default: 30]",
)
@click.option(
    "--batch-tokens",
    type=click.IntRange(1),
    help="As in the configuration; by default what suits the device.",
)
@click.option(
    "--beside-llmlingua",
    "beside",
    is_flag=True,
    help="Also the llmlingua package, turn by turn with the same weights (pip install llmlingua==0.2.2).",
)
@click.option(
    "--messages", type=click.IntRange(0), help="Chat messages of the stream beside it.  [default: 200]"
)
@click.option(
    "--flips",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Also compare the decisions about N texts alone, in batches, and after loading again.",
)
@click.option(
    "--other-dtype",
    "other_dtypes",
    multiple=True,
    help="For --flips: also in this dtype; repeatable.",
)
@click.option("--no-latency", is_flag=True, help="Leave the latencies out.")
@click.option("--quick", is_flag=True, help="Few and short texts: does everything work?")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the texts.")
@click.option(
    "--json", "json_path", metavar="FILE", type=_OUTPUT, help="Write all figures, after every part."
)
@click.option("--plot", "plot_path", metavar="FILE", type=_OUTPUT, help="Draw them, PNG or SVG.")
def command(
    models: tuple[str, ...],
    no_latency: bool,
    quick: bool,
    json_path: Path | None,
    plot_path: Path | None,
    **options: Any,
) -> None:
    """Measure how fast texts are shortened on this machine.

    For each size of text and a mix of them, callers ask for texts to be shortened to a half, each waiting for its
    answer before it asks again. Printed are latency, tokens a second, where the time went, how full the batches
    were (fill) and how much of what the device can multiply was used, over the whole time (use) and over the time
    in the model. The texts are made up, so nothing is read or downloaded but the models that you name.

    What fails is noted and the rest is measured; then the exit status is 1.
    """
    check_outputs(json_path, plot_path)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # what it warns of is meant here
    given = {key: value for key, value in options.items() if value is not None}
    plan = Plan(models=models, latency=not no_latency, **{**(_QUICK if quick else {}), **given})
    busy, found = os.getloadavg(), list[Measured]()

    def save() -> None:
        if json_path is not None:
            document = record(found, plan, compressors.environment(), busy)
            json_path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    console, errors = Console(), Console(stderr=True, highlight=False, markup=False)
    for model in models:
        with errors.status("starting") as status:
            try:
                asyncio.run(measured(plan, model, found, status.update, save))
            except compressors.CompressionError as error:
                raise UnusableFileError(str(error)) from error
        _show(found[-1], console, errors)
    save()
    if plot_path is not None:
        plot(found, plot_path)
    if any(each.errors for each in found):
        raise SystemExit(1)


def _show(found: Measured, console: Console, errors: Console) -> None:
    console.print(summary(found), highlight=False)
    for table in tables(found):
        console.print(table)
    for failure in found.errors:
        errors.print(f"{found.model}, {failure['part']}: {failure['error']}")
