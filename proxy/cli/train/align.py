"""`laconic train align`: tune a causal language model toward an upstream's answers."""

from __future__ import annotations

from typing import Any

import click

from compressors.training.causal import Pairs, Plan, Recipe, begin
from proxy.cli.train.data import Part
from proxy.cli.train.options import course, data, goal, rates, require_one
from proxy.cli.train.training import carry, command_line, errors

_RATE, _DECAY = 2e-5, 0.0


@click.command("align")
@data(
    "Rows (.jsonl, .jsonl.gz) with `prompt` and `answer`, or with `messages` of which the last is the assistant's,"
)
@click.option(
    "--start",
    required=True,
    help="The causal model to tune: `embedded`, a folder or a name on the Hugging Face hub.",
)
@goal
@rates(rate=_RATE, warm_up=Recipe.warm_up, decay=_DECAY, batch_tokens=Pairs.batch_tokens, seed=Recipe.seed)
@click.option(
    "--length", type=click.IntRange(8), help="Most tokens of a window.  [default: what the model takes]"
)
@course
def command(
    data: list[Part], minutes: float | None, steps: int | None, threads: int | None, **options: Any
) -> None:
    """Tune a causal language model on prompts and your upstream's answers (LLMLingua's distribution alignment).

    Only answers are learned, prompts are read, in the model's chat template if it has one. Some pairs are held out;
    the weights that are surprised least by their answers are in OUT/model; those of --start if tuning never helped.
    --patience ends a training that gains nothing more. SIGTERM and Ctrl-C write a checkpoint; the same command goes on.

    laconic stores no answers: what `laconic serve` captures and its ledger hold none, so take pairs from your own logs.

    All weights are tuned: 16 bytes of memory for each, so 8 GB for half a billion, and what a batch takes beside them.
    """
    require_one(minutes, steps)
    pairs = Pairs(data=data, **{n: options.pop(n) for n in ("batch_tokens", "length")})
    recipe = Recipe(
        minutes=minutes, steps=steps, **{n: options.pop(n) for n in ("rate", "warm_up", "decay", "seed")}
    )
    plan = Plan(reading=pairs, recipe=recipe, command=command_line(), **options)
    with errors():
        carry(lambda report: begin(plan, report, threads))
