"""`laconic key`: how a route names the callers it is for."""

from __future__ import annotations

import sys

import click

from proxy.credentials import credential, key_hash

_SHORTEST = 16


@click.group("key")
def command() -> None:
    """Name callers' keys in the configuration without writing them down.

    A route with `match: {key: …}` is taken only by requests that carry the key with this hash.
    """


@command.command("hash")
def hash_key() -> None:
    """Print the hash of a caller's key, for `match` in the configuration.

    The key is asked for, or read from standard input; it can't be an argument, because those stand in the
    shell's history and in the list of processes. The hash is safe to write down as long as the key is random,
    as API keys are: a password that can be guessed from its hash must not be used as one.
    """
    entered = click.prompt("Key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read()
    key = credential({"authorization": entered})
    if not (key.isascii() and key.isprintable() and len(key) >= _SHORTEST):
        raise click.UsageError(
            f"the key: found {len(key)} characters; allowed: {_SHORTEST} or more printable ASCII characters, "
            "in one line"
        )
    hashed = key_hash(key)
    click.echo(hashed)
    click.echo(f'for the configuration: match: {{key: "{hashed}"}}', err=True)
