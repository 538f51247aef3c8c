"""Callers' keys by their hash: what it is made of, the command that prints it, and the route that it chooses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.credentials import caller_hash, credential, key_hash, short_hash

KEY = "sk-a-secret-of-the-search-team"
CONFIG = f"""\
upstreams:
  openai: {{base_url: "https://api.openai.com/v1"}}
routes:
  - {{name: search, match: {{key: "{key_hash(KEY)}"}}, upstream: openai}}
  - {{name: default, upstream: openai}}
"""


def _run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, arguments, input=text)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer sk-1"}, "sk-1"),
        ({"authorization": "bearer   sk-1 "}, "sk-1"),
        ({"authorization": "sk-1"}, "sk-1"),
        ({"api-key": "sk-2"}, "sk-2"),
        ({"x-api-key": " sk-3"}, "sk-3"),
        ({"x-api-key": "sk-3", "api-key": "sk-2", "authorization": "Bearer sk-1"}, "sk-1"),
        ({"x-api-key": "sk-3", "authorization": " "}, "sk-3"),
        ({"cookie": "session=1"}, ""),
    ],
)
def test_the_callers_key(headers: dict[str, str], key: str) -> None:
    assert credential(headers) == key
    assert caller_hash(headers) == (key_hash(key) if key else "")


def test_a_hash_never_changes_because_it_stands_in_files() -> None:
    assert key_hash("sk-1") == "sha256:8447f89e216cec4abc7c77de468c6529"
    assert short_hash(key_hash("sk-1")) == "8447f89e216c"
    assert short_hash("") == ""


@pytest.mark.parametrize("text", [KEY, KEY + "\n", f"Bearer {KEY}\n"])
def test_key_hash_reads_standard_input(text: str) -> None:
    result = _run("key", "hash", text=text)
    assert result.exit_code == 0, result.output
    assert result.stdout == key_hash(KEY) + "\n"
    assert f'match: {{key: "{key_hash(KEY)}"}}' in result.stderr
    assert KEY not in result.output


@pytest.mark.parametrize("text", ["", "hunter2", f"{KEY}\n{KEY}\n", KEY + "é"])
def test_key_hash_refuses_what_is_no_key_without_showing_it(text: str) -> None:
    result = _run("key", "hash", text=text)
    assert result.exit_code == 2
    assert "16 or more printable ASCII characters" in " ".join(result.output.split())
    assert "hunter2" not in result.output
    assert KEY not in result.output


def test_key_hash_asks_at_a_terminal_without_showing_what_is_typed() -> None:
    terminal, its_end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy.cli", "key", "hash"],
        cwd=Path(__file__).parents[2], stdin=its_end, stdout=subprocess.PIPE, stderr=its_end,
        start_new_session=True, text=True,
    )  # fmt: skip
    os.close(its_end)
    shown = b""
    while b"Key:" not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, KEY.encode() + b"\n")
    assert process.communicate(timeout=30)[0] == key_hash(KEY) + "\n"
    shown += os.read(terminal, 1000)
    os.close(terminal)
    assert KEY.encode() not in shown


def test_key_hash_takes_no_argument() -> None:
    assert _run("key", "hash", KEY).exit_code == 2


@pytest.mark.parametrize(
    ("header", "route"), [(f"authorization: Bearer {KEY}", "search"), ("api-key: sk-another", "default")]
)
def test_check_takes_the_route_of_the_callers_key(tmp_path: Path, header: str, route: str) -> None:
    config, request = tmp_path / "laconic.yaml", tmp_path / "request.json"
    config.write_text(CONFIG)
    request.write_text(json.dumps({"model": "gpt-4o", "messages": []}))
    result = _run("check", str(config), str(request), "--header", header)
    assert result.exit_code == 0, result.output
    assert f"route {route}," in result.output


def test_check_shows_the_beginning_of_a_hash(tmp_path: Path) -> None:
    config = tmp_path / "laconic.yaml"
    config.write_text(CONFIG)
    result = _run("check", str(config))
    assert f"key sha256:{short_hash(key_hash(KEY))}…" in result.output
    assert key_hash(KEY) not in result.output
