"""`laconic demo`: three requests through the real proxy, with the embedded model and an echo for an upstream."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import click
from openai import OpenAI
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from policies.config import Config, Route, Upstream
from policies.policy import Policy
from proxy import logs
from proxy.app import Application
from proxy.cli.files import read_settings
from proxy.demo.echo import echo_app
from proxy.loopback import NotServingError, serving

_REQUESTS = {
    "rag": "RAG prompt, ten documents",
    "meeting": "meeting transcript",
    "agent": "agent turn, tool results with JSON and code",
}
_START_S = 120.0
# A laptop's processor may take a second or two for a long transcript; in service, 300 ms is the default.
_DEADLINE_MS = 30_000.0


@dataclass(frozen=True, slots=True)
class _Shown:
    """One request's row, and what the upstream got of its last text."""

    title: str
    headers: dict[str, str]
    before: str
    after: str


@click.command("demo")
def command() -> None:
    """Send three realistic requests through laconic and show what was saved.

    Needs no key, no network and no Redis: the model is the embedded one, and the upstream is an echo on this
    machine.
    """
    console = Console(width=None if sys.stdout.isatty() else 110)
    logs.configure(logging.ERROR)
    try:
        shown = _send_all(console)
    except NotServingError as error:
        raise click.ClickException(str(error)) from error
    console.print(_table(shown))
    console.print(Panel(_excerpt(shown[1].before), title="the transcript's first lines, as they were sent"))
    console.print(Panel(_excerpt(shown[1].after), title="… and as the upstream got them"))


def _send_all(console: Console) -> list[_Shown]:
    with contextlib.ExitStack() as stack:
        echo = stack.enter_context(serving(echo_app()))
        app = Application(_config(f"http://127.0.0.1:{echo}/v1"), read_settings())
        port = stack.enter_context(serving(app))
        client = stack.enter_context(
            OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
        )
        with console.status("loading the embedded model"):
            _wait_until_ready(port)
        shown = []
        for name, title in _REQUESTS.items():
            with console.status(f"sending: {title}"):
                shown.append(_send(client, name, title))
    return shown


def _config(upstream_url: str) -> Config:
    return Config(
        upstreams={"echo": Upstream(base_url=upstream_url)},
        # Requests that are sent once: they have no earlier turns, and none will follow.
        policies={"careful": Policy(deadline_ms=_DEADLINE_MS, adopt="all", keep_cacheable=False)},
        routes=(Route(name="demo", upstream="echo", policy="careful"),),
    )


def _send(client: OpenAI, name: str, title: str) -> _Shown:
    request: dict[str, Any] = json.loads((files("proxy.demo") / f"{name}.json").read_text(encoding="utf-8"))
    answer = client.chat.completions.with_raw_response.create(**request)
    after = answer.parse().choices[0].message.content or ""
    return _Shown(title, dict(answer.headers), request["messages"][-1]["content"], after)


def _table(shown: list[_Shown]) -> Table:
    table = Table("request", "original tokens", "sent tokens", "saved", "time added", "left alone")
    for row in shown:
        original = int(row.headers["x-laconic-original-tokens"])
        saved = int(row.headers["x-laconic-saved-tokens"])
        table.add_row(
            row.title,
            f"{original:,}",
            row.headers["x-laconic-sent-tokens"],
            f"{saved:,} ({saved / original:.0%})",
            f"{float(row.headers['x-laconic-compress-ms']):,.0f} ms",
            row.headers.get("x-laconic-skipped", "–"),
        )
    for column in table.columns[1:5]:
        column.justify = "right"
    return table


def _excerpt(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(line for line in lines[:16] if line.strip())[:1400]


def _wait_until_ready(port: int) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except urllib.error.HTTPError as error:  # 503 while the model loads
            if time.monotonic() > until:
                raise click.ClickException(
                    f"not ready after {_START_S:.0f} s: {error.read().decode()}"
                ) from error
            time.sleep(0.1)
