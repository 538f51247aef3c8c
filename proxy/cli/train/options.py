"""Options that all trainings have. Knows no kind of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from proxy.cli.train.data import parts

_Command = TypeVar("_Command", bound=Callable[..., Any])

_BEFORE = (
    click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        required=True,
        help="Folder of this training; the same command goes on with what it holds. The model is in its folder model/.",
    ),
    click.option(
        "--minutes", type=click.FloatRange(0, min_open=True), help="Of training; validations don't count."
    ),
    click.option("--steps", type=click.IntRange(1), help="Instead of --minutes."),
)
_BEHIND = (
    click.option(
        "--every",
        type=click.FloatRange(0, min_open=True),
        help="Minutes, or steps with --steps, between validations.  [default: a twentieth of all]",
    ),
    click.option("--patience", type=click.IntRange(1), help="Validations without gain after which to end."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        show_default=True,
        help="Of the products; auto is bfloat16 where the device has it.",
    ),
    click.option("--threads", type=click.IntRange(1), help="Torch's CPU threads."),
)


fresh = click.option(
    "--fresh", is_flag=True, help="Take only form and tokenizer of --start; all weights are drawn."
)


def data(what: str) -> Callable[[_Command], _Command]:
    """What a training learns from; `what` says which files it takes."""
    return click.option(
        "--data",
        metavar="PATH[=SHARE]",
        multiple=True,
        required=True,
        callback=parts,
        help=f"{what} and their share of the training tokens, by default by size. Repeatable.",
    )


def goal(command: _Command) -> _Command:
    """Where a training goes and how long it takes."""
    return _added(command, _BEFORE)


def course(command: _Command) -> _Command:
    """How a training is watched and what it runs on."""
    return _added(command, _BEHIND)


def rates(
    *, rate: float, warm_up: float, decay: float, batch_tokens: int, seed: int
) -> Callable[[_Command], _Command]:
    """How fast a model learns; the arguments are the defaults."""
    options = (
        click.option("--rate", type=float, default=rate, show_default=True, help="Highest learning rate."),
        click.option(
            "--warm-up",
            type=click.FloatRange(0, 1, max_open=True),
            default=warm_up,
            show_default=True,
            help="Share of the training in which the rate rises; then it falls to 0.",
        ),
        click.option(
            "--decay", type=float, default=decay, show_default=True, help="Weight decay of matrices."
        ),
        click.option(
            "--batch-tokens",
            type=click.IntRange(1),
            default=batch_tokens,
            show_default=True,
            help="Of a step.",
        ),
        click.option("--seed", type=click.IntRange(0), default=seed, show_default=True),
    )
    return lambda command: _added(command, options)


def require_one(minutes: float | None, steps: int | None) -> None:
    """Raises `click.UsageError` unless exactly one is given."""
    if (minutes is None) == (steps is None):
        raise click.UsageError("give --minutes or --steps")


def _added(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
