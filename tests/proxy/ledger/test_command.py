"""`laconic stats`, as a person calls it, over a real store."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.ledger import CLUSTERS, Entry, Ledger
from proxy.usage import Usage
from tests.fakes.ledger import Store
from tests.fakes.redis import RedisServer


def _run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["stats", *arguments])


def _json(store: Store, *arguments: str) -> Any:
    result = _run("--store", store.url, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def _fill(store: Store, entries: Iterable[Entry]) -> None:
    async def fill() -> None:
        ledger = Ledger(store.sink())
        for entry in entries:
            ledger.add(entry)
        await ledger.close()

    asyncio.run(fill())


def _day(now: float) -> list[Entry]:
    """What a small day may bring; times are chosen so that no bucket straddles a limit that tests use."""
    saving = Entry("rag", "careful", "gpt-4o", "5f2b", "on", time_s=now - 3 * 3600)
    saving.original_tokens, saving.sent_tokens, saving.saved_nanousd = 1000, 400, 1_500_000_000
    saving.compress_s, saving.usage = 0.5, Usage(450, 256, 20)
    shadow = Entry("rag", "bold", "o3", "77aa", "shadow", time_s=now - 3600)
    shadow.original_tokens = shadow.sent_tokens = 1000
    shadow.shadow_saved_tokens = 700
    passing = Entry("plain", model="o3", usage=Usage(90, 0, 5), time_s=now - 3600)
    old = Entry("plain", time_s=now - 3 * 86_400)
    return [saving, shadow, passing, old]


@pytest.fixture
def filled(store: Store) -> Store:
    _fill(store, _day(time.time()))
    return store


def test_the_total_has_every_figure_once(filled: Store) -> None:
    found = _json(filled)
    assert found["total"] == {
        "requests": 3,
        "original_tokens": 2000,
        "sent_tokens": 1400,
        "saved_tokens": 600,
        "saved_share": 0.3,
        "saved_usd": 1.5,
        "shadow_saved_tokens": 700,
        "usage_requests": 2,
        "usage_prompt_tokens": 540,
        "usage_cached_tokens": 256,
        "usage_completion_tokens": 25,
        "drift_tokens": 50,
        "drift_share": 0.125,
        "compress_s": 0.5,
    }
    assert found["holdout"] == []


@pytest.mark.parametrize(
    ("by", "requests"),
    [
        ("route", {"rag": 2, "plain": 1}),
        ("policy", {"careful": 1, "bold": 1, "": 1}),
        ("model", {"gpt-4o": 1, "o3": 2}),
        ("key", {"5f2b": 1, "77aa": 1, "": 1}),
        ("mode", {"on": 1, "shadow": 1, "off": 1}),
    ],
)
def test_groups_add_up_to_the_total(filled: Store, by: str, requests: dict[str, int]) -> None:
    found = _json(filled, "--by", by)
    assert {group[by]: group["requests"] for group in found["groups"]} == requests
    for name in ("requests", "saved_tokens", "usage_prompt_tokens", "drift_tokens", "shadow_saved_tokens"):
        assert sum(group[name] for group in found["groups"]) == found["total"][name]


def test_groups_of_time_come_in_order(filled: Store) -> None:
    days = [group["day"] for group in _json(filled, "--by", "day", "--since", "7d")["groups"]]
    hours = [group["hour"] for group in _json(filled, "--by", "hour", "--since", "24h")["groups"]]
    assert (len(hours), hours, days) == (2, sorted(hours), sorted(days))
    assert len(days) in (2, 3)


@pytest.mark.parametrize(
    ("span", "requests"),
    [
        (["--since", "2h"], 2),
        (["--since", "120m", "--until", "90m"], 0),
        (["--until", "2h"], 1),
        (["--since", "9d"], 4),
    ],
)
def test_a_span_of_time(filled: Store, span: list[str], requests: int) -> None:
    assert _json(filled, *span)["total"]["requests"] == requests


def test_csv_holds_the_groups(filled: Store) -> None:
    rows = list(csv.DictReader(io.StringIO(_run("--store", filled.url, "--csv", "--by", "route").output)))
    assert [(row["route"], row["saved_tokens"], row["drift_share"]) for row in rows] == [
        ("rag", "600", "0.125"),
        ("plain", "0", ""),
    ]
    (row,) = csv.DictReader(io.StringIO(_run("--store", filled.url, "--csv").output))
    assert (row["requests"], row["saved_usd"]) == ("3", "1.5")


def test_tables_fit_a_terminal_and_keep_shadow_savings_apart(filled: Store) -> None:
    result = _run("--store", filled.url, "--by", "policy")
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    (careful, *_) = (line for line in lines if "careful" in line)
    assert careful.replace("│", " ").split() == ["careful", "1", "1,000", "400", "600", "60.0", "1.50", "0.5"]
    totals = [line.replace("│", " ").split() for line in lines if "total" in line]
    assert totals == [
        ["total", "3", "2,000", "1,400", "600", "30.0", "1.50", "0.5"],
        ["total", "700"],
        ["total", "2", "540", "256", "25", "50", "12.5"],
    ]


def test_large_figures_are_rounded_in_tables_alone(store: Store) -> None:
    numbers = [12_345_678_901, 8_984_999, 99_999]
    for number, text in zip(numbers, ["12.3G", "8,985k", "99,999"], strict=True):
        entry = Entry(f"r{number}", original_tokens=number, sent_tokens=number)
        _fill(store, [entry])
        (line,) = (
            line
            for line in _run("--store", store.url, "--by", "route").output.splitlines()
            if f"r{number}" in line
        )
        assert text in line
    assert _json(store)["total"]["original_tokens"] == sum(numbers)


def _held_out(usage: bool, clusters: int = CLUSTERS) -> list[Entry]:
    """Treated conversations take a little more or less than 60 % of the tokens."""
    entries = []
    for cluster in range(clusters):
        for arm, sent in (("treated", 580 + cluster % 5 * 10), ("holdout", 1000)):
            entry = Entry("rag", "careful", mode="on", arm=arm, cluster=cluster)
            entry.original_tokens, entry.sent_tokens = 1000, sent
            entry.usage = Usage(sent + 100, 0, 1) if usage else None
            entries.append(entry)
    return entries


def test_the_holdouts_saving_has_an_interval(store: Store) -> None:
    _fill(store, _held_out(usage=True))
    (found,) = _json(store)["holdout"]
    assert found["policy"] == "careful"
    assert found["basis"] == "usage"
    assert found["low"] < found["share"] < found["high"]
    assert found["share"] == pytest.approx(0.4 / 1.1, abs=0.01)
    (line,) = (line for line in _run("--store", store.url).output.splitlines() if line.startswith("holdout"))
    assert "holdout of careful: 36." in line
    assert "by the upstream's usage, 95 % confidence interval 3" in line
    assert "32 requests against 32 held out" in line


def test_the_holdout_says_what_it_lacks(store: Store) -> None:
    _fill(store, _held_out(usage=False, clusters=9))
    output = _run("--store", store.url).output
    assert "for want of usage" in output
    assert "too few conversations for an interval yet: seen in 9 of 32 groups, at least 16 needed" in output
    (found,) = _json(store)["holdout"]
    assert (found["low"], found["high"], found["basis"]) == (None, None, "sent_tokens")


def test_the_configuration_names_the_store(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "laconic.yaml"
    path.write_text(
        f"upstreams: {{a: {{base_url: 'http://a/v1'}}}}\nroutes: [{{name: a, upstream: a}}]\nstore: {filled.url}\n"
    )
    result = _run("--config", str(path), "--json")
    assert json.loads(result.output)["total"]["requests"] == 3


def test_an_empty_span_says_so(filled: Store) -> None:
    result = _run("--store", filled.url, "--since", "5m")
    assert result.exit_code == 0
    assert "No request was counted" in result.output


def test_a_name_is_not_markup(store: Store) -> None:
    _fill(store, [Entry("[red]r[/red]")])
    assert "[red]r[/red]" in _run("--store", store.url, "--by", "route").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "1.5h"], "found '1.5h'; allowed: a number with m, h or d, such as 90m, 24h or 7d"),
        (["--until", "yesterday"], "found 'yesterday'"),
        (["--since", "1h", "--until", "2h"], "--since must be longer ago than --until"),
        (["--by", "colour"], "'colour' is not one of"),
        (["--json", "--csv"], "allowed: one of them"),
        ([], "found neither --config nor --store"),
        (
            ["--store", "mysql://me:secret@host/db"],
            "found 'mysql://host/db'; allowed: sqlite:///FILE or redis://",
        ),
        (["--store", "memory:"], "keeps no ledger, because it ends with the process"),
        (["--store", "sqlite:////no/such/folder/laconic.db"], "there is no such file"),
        (["--store", "redis://:secret@127.0.0.1:1/0"], "store redis://127.0.0.1:1/0 can't be read"),
    ],
)
def test_errors_say_what_is_wrong_and_exit_with_2(arguments: list[str], message: str) -> None:
    result = _run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "secret" not in result.output


def test_a_file_that_is_no_store_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database, " * 1000)
    result = _run("--store", f"sqlite:///{file}")
    assert (result.exit_code, "can't be read" in result.output) == (2, True)


def test_a_redis_that_was_killed_is_an_error(redis_server: RedisServer) -> None:
    redis_server.kill()
    result = _run("--store", redis_server.url)
    assert (result.exit_code, "can't be read" in result.output) == (2, True)


def test_the_command_explains_itself() -> None:
    assert "stats" in CliRunner().invoke(main, ["--help"]).output
    result = _run("--help")
    assert result.exit_code == 0
    assert "Saved tokens are the tokens of message texts as they came less" in result.output
