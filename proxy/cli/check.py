"""`laconic check`: is a configuration valid, and what would it do with a request?"""

from __future__ import annotations

import functools
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from policies.config import Config
from policies.routes import Choice, InvalidOverrideError, choice_of, find_route, override
from proxy.cli.files import UnusableFileError, read_config_file, read_settings
from proxy.cli.plans import plans
from proxy.cli.worth import worth_of
from proxy.credentials import caller_hash, short_hash
from proxy.dialects import chat
from proxy.errors import MalformedJsonError

_QUESTION_AWARE = (
    "Question-aware: the model reads each text with its question, the one beside its documents or else the last user "
    "text that arrived with it or before it. What stays is decided for each question anew, and once for all turns."
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("config_path", metavar="CONFIG", type=_FILE)
@click.argument("request_path", metavar="[REQUEST.json]", type=_FILE, required=False)
@click.option("--path", default=None, help="Path that the request is sent to.  [default: the first route's]")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the request.")
@click.option("--measure", is_flag=True, help="Load the compressor and time it, to see what would pay here.")
def command(
    config_path: Path, request_path: Path | None, path: str | None, headers: tuple[str, ...], measure: bool
) -> None:
    """Check a configuration file and, given a request, show the plan for it.

    REQUEST.json is the body of a chat-completions request, all of whose messages are taken to be new. Which words
    stay isn't shown, but which texts are shortened how far, what is protected, how many tokens are expected, and
    how long it may take to be worth it.

    Exit status 2 if the file is invalid; every error names its line.
    """
    config = read_config_file(config_path, read_settings())
    console = Console()
    if request_path is None:
        console.print(_routes(config))
        return
    try:
        body = chat.parse(request_path.read_bytes())
    except MalformedJsonError as error:
        raise UnusableFileError(f"{request_path}: {error}") from error
    choice = _choose(config, path or config.routes[0].path + chat.SUFFIX, headers, body.model)
    console.print(
        f"route [bold]{choice.route.name}[/], mode [bold]{choice.mode}[/] ({choice.source})", highlight=False
    )
    if choice.policy is None:
        console.print("The route has no policy: the request passes through untouched.")
        return
    worth = worth_of(config, choice, body.model, measure=measure)
    console.print(plans(body, choice, worth))
    if choice.policy.strategy.question_aware:
        console.print(_QUESTION_AWARE, highlight=False)
    console.print(worth.explained(), highlight=False)


def _choose(config: Config, path: str, headers: tuple[str, ...], model: str) -> Choice:
    pairs = dict(header.partition(":")[::2] for header in headers)
    named = {name.strip().lower(): value.strip() for name, value in pairs.items()}
    route = find_route(config.routes, path, named, model, functools.partial(caller_hash, named))
    if route is None:
        raise UnusableFileError(f"no route matches path {path}, model {model!r} and these headers")
    try:
        return override(choice_of(route, config), config, named)
    except InvalidOverrideError as error:
        raise UnusableFileError(str(error)) from error


def _routes(config: Config) -> Table:
    """The routes in the order in which they are tried; keys are never shown."""
    table = Table("route", "path", "conditions", "upstream", "policy", "mode", "may override", title="valid")
    for route in config.routes:
        conditions = [f"model {' or '.join(route.match.model)}"] if route.match.model else []
        conditions += [f"{name}: {glob}" for name, glob in route.match.header.items()]
        if route.match.key:
            conditions.append("key " + " or ".join(f"sha256:{short_hash(key)}…" for key in route.match.key))
        choice = choice_of(route, config)
        table.add_row(
            route.name,
            route.path,
            "\n".join(conditions) or "–",
            config.upstreams[route.upstream].base_url,
            route.policy or "none (passes through)",
            choice.mode,
            ", ".join(sorted(route.overrides)) or "–",
        )
    return table
