"""`laconic train pretrain`: train a causal language model on text."""

from __future__ import annotations

from typing import Any

import click

from compressors.training.causal import Plan, Recipe, Texts, begin
from proxy.cli.train.data import Part
from proxy.cli.train.options import course, data, fresh, goal, rates, require_one
from proxy.cli.train.training import carry, command_line, errors

_RATE = 5e-4


@click.command("pretrain")
@data(
    "Texts (.txt, .md, .txt.xz, .txt.gz, with a line <|endoftext|> between documents) or rows with `text` or `words` "
    "(.jsonl, .jsonl.gz),"
)
@click.option(
    "--start",
    required=True,
    help="What to begin with: `embedded`, a folder or a name on the Hugging Face hub with a causal model or a BERT "
    "encoder, or random weights of a shape (shape:gpt2, shape:qwen2.5-0.5b).",
)
@goal
@fresh
@rates(
    rate=_RATE, warm_up=Recipe.warm_up, decay=Recipe.decay, batch_tokens=Texts.batch_tokens, seed=Recipe.seed
)
@click.option(
    "--length", type=click.IntRange(8), default=Texts.length, show_default=True, help="Tokens of a window."
)
@click.option(
    "--last-length",
    type=click.IntRange(8),
    default=Texts.last_length,
    show_default=True,
    help="Tokens of a window at the end, so that all positions are trained.",
)
@click.option(
    "--last",
    type=click.FloatRange(0, 1),
    default=Texts.last,
    show_default=True,
    help="Share of the training that counts as the end.",
)
@click.option(
    "--candidates",
    type=click.IntRange(0),
    default=Texts.candidates,
    show_default=True,
    help="Tokens of the vocabulary in each softmax of a BERT decoder on a CPU; 0 for all, as anywhere else.",
)
@course
def command(
    data: list[Part], minutes: float | None, steps: int | None, threads: int | None, **options: Any
) -> None:
    """Train a causal language model on texts, for LLMLingua and LongLLMLingua.

    Some documents of each source are held out. How many bits a byte of them takes is measured now and then; the
    weights that need the fewest are in OUT/model, which --start, `laconic compress --model` and `laconic train export`
    take. SIGTERM and Ctrl-C write a checkpoint; the same command goes on.

    A BERT encoder becomes a decoder. In a row with `text` and `labels`, every other text is followed by its words that
    are kept; rows with `question` become passages that are followed by it, which helps ranking documents.
    """
    require_one(minutes, steps)
    texts = Texts(
        data=data,
        **{n: options.pop(n) for n in ("batch_tokens", "length", "last_length", "last", "candidates")},
    )
    recipe = Recipe(
        minutes=minutes, steps=steps, **{n: options.pop(n) for n in ("rate", "warm_up", "decay", "seed")}
    )
    plan = Plan(reading=texts, recipe=recipe, command=command_line(), **options)
    with errors():
        carry(lambda report: begin(plan, report, threads))
