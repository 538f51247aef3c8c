"""A group of commands that are imported when they are called, so that none pays for another's imports."""

from __future__ import annotations

import importlib

import click


class Commands(click.Group):
    """Finds the command NAME in the module `PACKAGE.NAME`, where it is called `command`."""

    package: str
    names: tuple[str, ...]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.names:
            return None
        command: click.Command = importlib.import_module(f"{self.package}.{cmd_name}").command
        return command
