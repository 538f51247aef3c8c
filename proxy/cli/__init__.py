"""The command line, `laconic`: a module of this package for each command."""

from __future__ import annotations

import click

from proxy.cli.commands import Commands


class _Laconic(Commands):
    package = __name__
    names = (
        "serve",
        "check",
        "compress",
        "eval",
        "bench",
        "train",
        "replay",
        "stats",
        "key",
        "schema",
        "demo",
    )


@click.group(cls=_Laconic, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="laconic", prog_name="laconic")
def main() -> None:
    """Shorten prompts on their way to an OpenAI-compatible API.

    Point your SDK's base_url at `laconic serve`, say in one YAML file which texts may be shortened how far, and
    check that file with `laconic check`.
    """
