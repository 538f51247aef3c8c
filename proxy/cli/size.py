"""Sizes of files and memory as people write them."""

from __future__ import annotations

import re

import click

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?))?B?", re.IGNORECASE)


class Size(click.ParamType[int]):
    """A number of bytes, such as 500MB, 1GiB or 1000000."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes; anything else ends the command with status 2."""
        match = _SIZE.fullmatch(str(value).strip())
        if match is None:
            self.fail(
                f"found {value!r}; allowed: a number of bytes, such as 500MB, 1GiB or 1000000", param, ctx
            )
        number, prefix, binary = match.groups()
        exponent = " KMGT".index(prefix.upper()) if prefix else 0
        return int(float(number) * (1024 if binary else 1000) ** exponent)
