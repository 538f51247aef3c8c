"""Reading `--data PATH[=SHARE]`. Knows paths and shares, nothing of what is in a file."""

from __future__ import annotations

from pathlib import Path

import click

Part = tuple[Path, float | None]


def parts(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Part]:
    """A callback of click's: files and their shares of the training tokens, None where none is given."""
    return [_part(value) for value in values]


def _part(value: str) -> Part:
    """PATH, or PATH=SHARE."""
    path, separator, share = value.rpartition("=")
    if not separator or Path(value).is_file():
        path, share = value, ""
    if not Path(path).is_file():
        raise click.BadParameter(f"{path}: no such file")
    if not share:
        return Path(path), None
    try:
        number = float(share)
    except ValueError as error:
        raise click.BadParameter(f"{value}: the share {share!r} is no number") from error
    if not 0 < number <= 1:
        raise click.BadParameter(f"{value}: a share is above 0 and at most 1")
    return Path(path), number
