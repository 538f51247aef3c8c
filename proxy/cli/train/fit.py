"""`laconic train fit`: train a token classifier on labelled words."""

from __future__ import annotations

from typing import Any

import click

from compressors.training.classifier import Plan, Recipe, begin
from proxy.cli.train.data import Part
from proxy.cli.train.options import course, data, fresh, goal, rates, require_one
from proxy.cli.train.training import carry, command_line, errors


def _layers(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    if value is None:
        return None
    parts = value.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{value!r}: expected whole numbers from 0 with commas between them")
    return tuple(int(part) for part in parts)


@click.command("fit")
@data("Labelled rows (.jsonl, .jsonl.gz)")
@click.option(
    "--start",
    required=True,
    help="The encoder or token classifier to begin with: `embedded`, a folder, a name on the Hugging Face hub, or "
    "random weights of a shape (shape:mbert, shape:xlm-roberta-large).",
)
@goal
@fresh
@click.option("--layers", metavar="N,N,…", callback=_layers, help="Layers of --start that stay, from 0.")
@click.option(
    "--teacher",
    "teachers",
    metavar="MODEL",
    multiple=True,
    help="A finished classifier with the same tokenizer to learn from beside the labels; of several the mean. "
    "Repeatable.",
)
@click.option(
    "--taught",
    type=click.FloatRange(0, 1),
    default=Recipe.taught,
    show_default=True,
    help="What teachers count; labels count the rest.",
)
@rates(
    rate=Recipe.rate,
    warm_up=Recipe.warm_up,
    decay=Recipe.decay,
    batch_tokens=Recipe.batch_tokens,
    seed=Recipe.seed,
)
@click.option(
    "--length", type=click.IntRange(16), help="Most tokens of a sequence.  [default: the model's window]"
)
@click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.0, show_default=True)
@click.option(
    "--smoothing",
    type=click.FloatRange(0, 1),
    default=Recipe.smoothing,
    show_default=True,
    help="How far labels are moved towards 1/2.",
)
@click.option(
    "--average",
    type=click.FloatRange(0, 1, max_open=True),
    default=Recipe.average,
    show_default=True,
    help="How much of the moving average of the weights each step leaves; the average is what is kept.",
)
@click.option(
    "--offsets/--no-offsets",
    default=Recipe.offsets,
    show_default=True,
    help="Learn how much each source keeps apart from the model, so that probabilities mean the same everywhere.",
)
@click.option(
    "--held-out-words",
    type=click.IntRange(1),
    default=Plan.held_out_words,
    show_default=True,
    help="Most words of each source in a validation.",
)
@course
def command(
    data: list[Part],
    minutes: float | None,
    steps: int | None,
    threads: int | None,
    **options: Any,
) -> None:
    """Train a keep/drop classifier on rows of words and labels, such as `annotate` writes.

    Some documents of each source are held out. Their words are ranked now and then; the weights that rank them best
    are in OUT/model, which --start, `laconic compress --model` and `laconic train export` take. Rows with a question
    make the model question-aware. SIGTERM and Ctrl-C write a checkpoint; the same command goes on.
    """
    require_one(minutes, steps)
    names = ("rate", "warm_up", "decay", "batch_tokens", "smoothing", "average", "offsets", "taught", "seed")
    recipe = Recipe(minutes=minutes, steps=steps, **{name: options.pop(name) for name in names})
    with errors():
        plan = Plan(data=data, recipe=recipe, command=command_line(), **options)
        carry(lambda report: begin(plan, report, threads))
