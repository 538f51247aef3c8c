"""The command line: `laconic serve | check | compress | eval | bench | replay | stats | key | schema | demo`.

Commands are imported when they are called, so that none pays for another's imports.
"""

from __future__ import annotations

import importlib

import click

_COMMANDS = ("serve", "check", "compress", "eval", "bench", "replay", "stats", "key", "schema", "demo")


class _Group(click.Group):
    """Finds the command NAME in the module `proxy.cli.NAME`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"proxy.cli.{cmd_name}").command
        return command


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="laconic", prog_name="laconic")
def main() -> None:
    """Shorten prompts on their way to an OpenAI-compatible API.

    Point your SDK's base_url at `laconic serve`, say in one YAML file which texts may be shortened how far, and
    check that file with `laconic check`.
    """
