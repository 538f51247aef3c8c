"""`laconic train export`: a training's model as a folder with a card."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

import click
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from compressors.training.export import Order, Weights, export
from proxy.cli.files import UnusableFileError
from proxy.cli.train.terminal import table
from proxy.cli.train.training import command_line, errors

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Card(BaseModel):
    """What a person adds to a card."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    about: str = ""
    licences: dict[str, str] = {}


def _licences(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for value, (name, _, text) in zip(values, pairs, strict=True):
        if not name or not text:
            raise click.BadParameter(f"{value!r}: expected NAME=TEXT")
    return {name: text for name, _, text in pairs}


@click.command("export")
@click.argument("training", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--to",
    metavar="MODEL_FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the model.",
)
@click.option(
    "--weights",
    type=click.Choice(get_args(Weights)),
    default="float32",
    show_default=True,
    help="How they are stored; int8 takes a quarter, and only laconic reads it.",
)
@click.option(
    "--check",
    multiple=True,
    metavar="DATA",
    type=_FILE,
    help="Files to measure on instead of what the training held out. Repeatable.",
)
@click.option(
    "--scripts",
    multiple=True,
    metavar="NAME",
    help="Scripts (Unicode's names, such as LATIN) that the model reads; texts in others are left whole. Repeatable.",
)
@click.option(
    "--fragmented-share",
    type=click.FloatRange(0, 1),
    default=Order.fragmented_share,
    show_default=True,
    help="With --scripts: a text with more letters than this in words cut into three and more tokens is left whole.",
)
@click.option(
    "--licence",
    "licences",
    multiple=True,
    metavar="NAME=TEXT",
    callback=_licences,
    help="Source and licence of the data called NAME, for the card. Repeatable.",
)
@click.option(
    "--card", metavar="FILE", type=_FILE, help="YAML for the card: title, about, licences (NAME: TEXT)."
)
@click.option(
    "--notes", metavar="FILE", type=_FILE, help="Markdown that ends the card: limits, other figures."
)
@click.option("--threads", type=click.IntRange(1), help="Torch's CPU threads.")
def command(
    licences: dict[str, str], card: Path | None, notes: Path | None, threads: int | None, **options: Any
) -> None:
    """Turn the model in FOLDER, that of a `fit`, `pretrain` or `align`, into a folder of its own with a card.

    Measured and written into its README.md are what the model does on held-out data, and what 8 or 16 bits lose of it.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    added = _read_card(card)
    order = Order(
        title=added.title,
        about=added.about,
        licences={**added.licences, **licences},
        notes="" if notes is None else _text(notes),
        command=command_line(),
        **options,
    )
    console = Console(stderr=True)
    with errors(), console.status("reading") as status:
        found = export(order, status.update, threads)
    out = Console()
    out.print(table(found.after))
    if found.change:
        out.print(table(found.change, f"{order.weights} beside float32"))
    out.print(f"fingerprint {found.fingerprint}", highlight=False)
    if found.unlicensed:
        names = ", ".join(found.unlicensed)
        click.echo(f"the card says of no licence of {names}; name it with --licence or --card", err=True)


def _read_card(path: Path | None) -> _Card:
    if path is None:
        return _Card()
    try:
        return _Card.model_validate(yaml.safe_load(_text(path)) or {})
    except yaml.YAMLError as error:
        raise UnusableFileError(f"{path}: no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UnusableFileError(f"{path}: {where}: {first['msg']}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableFileError(f"{path}: {error}") from error
