"""`laconic schema`: the JSON Schema of configuration files."""

from __future__ import annotations

import json

import click

from policies.config import Config


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of configuration files, for completion and checks in editors.

    For example, with the YAML language server: save it as laconic.schema.json and begin laconic.yaml with
    `# yaml-language-server: $schema=laconic.schema.json`.
    """
    click.echo(json.dumps(Config.model_json_schema(), indent=2))
