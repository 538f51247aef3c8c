"""`laconic check`: is a configuration valid, and what would it do with a request?"""

from __future__ import annotations

import functools
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from policies.config import Config
from policies.groups import Text, arrival_groups, settings
from policies.plan import TextPlan, plan_text
from policies.routes import Choice, InvalidOverrideError, choice_of, find_route, override
from policies.tokens import encoding_name, tokenizer
from proxy.cli.files import UnusableFileError, read_config_file, read_settings
from proxy.credentials import caller_hash, short_hash
from proxy.dialects import chat
from proxy.errors import MalformedJsonError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("config_path", metavar="CONFIG", type=_FILE)
@click.argument("request_path", metavar="[REQUEST.json]", type=_FILE, required=False)
@click.option("--path", default=None, help="Path that the request is sent to.  [default: the first route's]")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the request.")
def command(config_path: Path, request_path: Path | None, path: str | None, headers: tuple[str, ...]) -> None:
    """Check a configuration file and, given a request, show the plan for it.

    REQUEST.json is the body of a chat-completions request. No model is loaded: which words stay isn't shown,
    but which texts are shortened how far, what is protected and how many tokens are expected.

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
    console.print(_plans(body, choice))


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


def _plans(body: chat.ChatBody, choice: Choice) -> Table:
    policy = choice.policy
    assert policy is not None
    encoding = encoding_name(body.model)
    counter = tokenizer(encoding)
    groups = arrival_groups(body.roles)
    table = Table(
        "message", "role", "group", "tokens", "what happens", "protected", "expected tokens",
        title=f"policy {choice.policy_name}, counted with {encoding}", show_footer=True,
    )  # fmt: skip
    texts = [Text(slot.role, slot.text, groups[slot.message]) for slot in body.slots]
    around = settings(texts, set(groups), policy.documents)
    plans = []
    for slot, text in zip(body.slots, texts, strict=True):
        plan = plan_text(
            text, policy, counter, rate=choice.rate, tags=choice.route.tags, setting=around[text]
        )
        plans.append(plan)
        table.add_row(
            str(slot.message), slot.role, str(groups[slot.message]), str(plan.original_tokens), _action(plan),
            _protected(plan, slot.text), str(plan.expected_tokens),
        )  # fmt: skip
    table.columns[3].footer = str(sum(plan.original_tokens for plan in plans))
    table.columns[6].footer = str(sum(plan.expected_tokens for plan in plans))
    for column in (0, 2, 3, 6):
        table.columns[column].justify = "right"
    return table


def _action(plan: TextPlan) -> str:
    if plan.skip is not None:
        return f"left alone: {plan.skip}"
    measures = dict.fromkeys(piece.measure for piece in plan.pieces)
    words = []
    for measure in measures:
        if measure.rate is not None:
            words.append(f"rate {measure.rate:g}")
        elif measure.target_tokens is not None:
            words.append(f"at most {measure.target_tokens} tokens")
        else:
            words.append(f"words of probability {measure.min_probability:g} or more")
    return "shortened: " + ", ".join(words) + _context(plan)


def _context(plan: TextPlan) -> str:
    """What is known beside the text's own words; the question itself is not shown."""
    documents = sum(len(piece.documents) for piece in plan.pieces)
    words = f"; {documents} documents" if documents else ""
    if any(piece.bundle is not None for piece in plan.pieces):
        words += "; one of several results"
    return words + ("; for a question" if any(piece.question for piece in plan.pieces) else "")


def _protected(plan: TextPlan, text: str) -> str:
    blocks = [span for piece in plan.pieces for span in piece.blocks]
    inline = [span for piece in plan.pieces for span in piece.inline]
    if not blocks and not inline:
        return "–"
    share = sum(end - start for start, end in (*blocks, *inline)) / len(text)
    return f"{len(blocks)} blocks, {len(inline)} spans ({share:.0%})"
