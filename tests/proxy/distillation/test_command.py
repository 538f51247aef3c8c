"""`laconic train distill`, as a person calls it, with an upstream over HTTP."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.distillation import distillation
from tests.fakes import behaviours, payloads, shortening
from tests.fakes.exchange import Exchange
from tests.fakes.upstream import FakeUpstream

SENTENCES = [
    f"In the year {1900 + number} the committee of the harbour met in a very cold hall and the mayor was late."
    for number in range(6)
]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distillation, "_FIRST_WAIT_S", 0.01)


@pytest.fixture
def upstream(upstream: FakeUpstream) -> FakeUpstream:
    upstream.behaviour = shortening.deletes_words
    return upstream


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "minutes.txt"
    path.write_text("\n".join(SENTENCES))
    return path


def _run(upstream: FakeUpstream, *arguments: str | Path, answer: str | None = None) -> Result:
    options = [
        "--model",
        "fake",
        "--base-url",
        upstream.base_url,
        "--chunk-tokens",
        "24",
        "--min-tokens",
        "8",
    ]
    confirmed = [] if answer is not None else ["--yes"]
    command = ["train", "distill", *map(str, arguments), *options, *confirmed]
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, command, input=answer)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_texts_become_pairs(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    result = _run(upstream, texts, "--out", out)
    assert result.exit_code == 0, result.output
    rows = sorted(_rows(out), key=lambda row: str(row["text"]))
    assert [row["text"] for row in rows] == SENTENCES
    assert [row["compressed"] for row in rows] == list(map(shortening.shortened, SENTENCES))
    assert {(row["source"], row["document"], row["model"]) for row in rows} == {
        ("minutes", "minutes.txt:1", "fake")
    }
    assert "6 calls of fake" in result.stderr
    assert "no price is known" in result.stderr
    assert "shortened: 6 of 6" in result.stdout
    sent = upstream.requests[0].json()
    assert sent["temperature"] == 0.3
    assert upstream.requests[0].header("authorization") == "Bearer none"


def test_nothing_is_asked_without_consent(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    options: list[str | Path] = ["--out", tmp_path / "pairs.jsonl", "--price", "1", "2"]
    declined = _run(upstream, texts, *options, answer="n\n")
    assert declined.exit_code == 1
    assert "at most 0.00" in declined.stderr
    assert not upstream.requests
    assert _run(upstream, texts, *options, answer="y\n").exit_code == 0
    assert len(upstream.requests) == 6


def test_what_is_done_is_not_asked_again(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    assert _run(upstream, texts, "--out", out, "--limit", "4").exit_code == 0
    assert len(upstream.requests) == 4
    with out.open("a") as torn:
        torn.write('{"text": "In the')
    result = _run(upstream, texts, "--out", out)
    assert "2 calls of fake" in result.stderr
    assert "4 are done already" in result.stderr
    assert len(upstream.requests) == 6
    assert {row["text"] for row in _rows(out)} == set(SENTENCES)
    assert _run(upstream, texts, "--out", out).exit_code == 0
    assert len(upstream.requests) == 6


def test_another_instruction_is_another_question(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    out, own = tmp_path / "pairs.jsonl", tmp_path / "own.txt"
    own.write_text("Leave out what you can.\n\nThe text:\n\n{text}")
    _run(upstream, texts, "--out", out)
    assert _run(upstream, texts, "--out", out, "--instruction", own).exit_code == 0
    assert len(upstream.requests) == 12
    sent = upstream.requests[-1].json()["messages"]
    assert [message["role"] for message in sent] == ["user"]
    assert sent[0]["content"].startswith("Leave out what you can.")
    assert len({row["instruction"] for row in _rows(out)}) == 2


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (shortening.refuses, "refused"),
        (shortening.refuses_formally, "refused"),
        (shortening.is_filtered, "refused"),
        (shortening.says_nothing, "empty"),
        (shortening.is_cut_off, "cut off"),
        (shortening.rambles, "longer than the text"),
    ],
)
def test_what_is_no_shortened_text_is_kept_apart(
    upstream: FakeUpstream,
    texts: Path,
    tmp_path: Path,
    behaviour: Callable[[Exchange], Awaitable[None]],
    reason: str,
) -> None:
    out = tmp_path / "pairs.jsonl"
    upstream.behaviour = behaviour
    result = _run(upstream, texts, "--out", out)
    assert result.exit_code == 0
    assert f"rejected, {reason}: 6" in result.stdout
    assert _rows(out) == []
    assert {row["reason"] for row in _rows(tmp_path / "pairs.rejected.jsonl")} == {reason}
    upstream.behaviour = shortening.deletes_words
    _run(upstream, texts, "--out", out)
    assert len(upstream.requests) == 6


@pytest.mark.parametrize(
    "failing",
    [
        shortening.Failing(429, 3, [(b"retry-after", b"0.02")]),
        shortening.Failing(429, 3, [(b"retry-after", b"Thu, 01 Jan 2015 00:00:00 GMT")]),
        shortening.Failing(500, 3),
        shortening.Failing(503, 3),
    ],
)
def test_what_fails_for_a_while_is_tried_again(
    upstream: FakeUpstream, texts: Path, tmp_path: Path, failing: shortening.Failing
) -> None:
    upstream.behaviour = failing
    result = _run(upstream, texts, "--out", tmp_path / "pairs.jsonl")
    assert "shortened: 6 of 6" in result.stdout
    assert "failed" not in result.stdout
    assert len(upstream.requests) == 9


def test_a_text_that_fails_for_good_is_counted_and_tried_next_time(
    upstream: FakeUpstream, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pairs.jsonl"
    upstream.behaviour = shortening.Failing(400, 1)
    result = _run(upstream, texts, "--out", out)
    assert result.exit_code == 0
    assert "shortened: 5 of 6" in result.stdout
    assert "failed, BadRequestError, status 400: 1" in result.stdout
    _run(upstream, texts, "--out", out)
    assert len(_rows(out)) == 6


@pytest.mark.parametrize("status", [401, 404])
def test_it_stops_where_no_call_can_succeed(
    upstream: FakeUpstream, texts: Path, tmp_path: Path, status: int
) -> None:
    upstream.behaviour = f"error-{status}"
    result = _run(upstream, texts, "--out", tmp_path / "pairs.jsonl", "--concurrency", "1")
    assert result.exit_code == 1
    assert "stopped early: the upstream refuses all calls" in result.stdout
    assert len(upstream.requests) == 1


def test_it_stops_when_everything_fails(
    upstream: FakeUpstream, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distillation, "_MOST_FAILED", 3)
    upstream.stop()
    options = ["--retries", "0", "--concurrency", "1"]
    result = _run(upstream, texts, "--out", tmp_path / "pairs.jsonl", *options)
    assert result.exit_code == 1
    assert "stopped early: 3 calls in a row failed" in result.stdout
    assert "shortened: 0 of 6" in result.stdout


def test_a_quota_that_is_back_tomorrow_is_not_waited_for(
    upstream: FakeUpstream, texts: Path, tmp_path: Path
) -> None:
    upstream.behaviour = shortening.Failing(429, 1, [(b"retry-after", b"86400")])
    result = _run(upstream, texts, "--out", tmp_path / "pairs.jsonl")
    assert "failed, RateLimitError, status 429: 1" in result.stdout


def test_it_stops_before_it_costs_too_much(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    first = _run(upstream, texts, "--out", out, "--limit", "1", "--price", "1000", "1000")
    (row,) = _rows(out)
    cost_usd = payloads.usage(upstream.requests[0], row["compressed"])["total_tokens"] / 1000
    assert f"out: {cost_usd:.4f} USD" in first.stdout
    options = ["--price", "1000", "1000", "--max-usd", f"{2.6 * cost_usd}", "--concurrency", "1"]
    result = _run(upstream, texts, "--out", out, *options)
    assert result.exit_code == 0
    assert "shortened: 2 of 5" in result.stdout
    assert "stopped early: the next call might exceed" in result.stdout
    assert len(upstream.requests) == 3


def test_calls_under_way_count_for_the_budget(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    options = ["--price", "1000", "1000", "--max-usd", "1", "--concurrency", "6"]
    result = _run(upstream, texts, "--out", tmp_path / "pairs.jsonl", *options)
    assert "stopped early" in result.stdout
    spent = float(result.stdout.split("out: ")[1].split(" USD")[0])
    assert 0 < spent < 1.1


def test_no_more_calls_at_a_time_than_allowed(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    upstream.behaviour = counting = shortening.Counting()
    _run(upstream, texts, "--out", tmp_path / "pairs.jsonl", "--concurrency", "3")
    assert 1 < counting.most <= 3


def test_an_interruption_loses_nothing(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"

    async def three_then_interrupt(exchange: Exchange) -> None:
        if len(upstream.requests) <= 3:
            await shortening.deletes_words(exchange)
        else:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
            await behaviours.stall(exchange)

    upstream.behaviour = three_then_interrupt
    interrupted = _run(upstream, texts, "--out", out, "--concurrency", "1")
    assert interrupted.exit_code == 1
    assert "shortened: 3 of 6" in interrupted.stdout
    assert len(_rows(out)) == 3
    upstream.behaviour = shortening.deletes_words
    assert "shortened: 3 of 3" in _run(upstream, texts, "--out", out).stdout
    assert {row["text"] for row in _rows(out)} == set(SENTENCES)


def test_the_key_comes_from_the_environment(
    upstream: FakeUpstream, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    monkeypatch.setenv("MY_KEY", "sk-mine")
    options: list[str | Path] = ["--out", tmp_path / "pairs.jsonl", "--limit", "1"]
    _run(upstream, texts, *options, "--api-key-env", "MY_KEY")
    assert upstream.requests[0].header("authorization") == "Bearer sk-mine"
    _run(upstream, texts, "--out", tmp_path / "others.jsonl", "--limit", "1")
    assert upstream.requests[1].header("authorization") == "Bearer none"
    missing = _run(upstream, texts, *options, "--api-key-env", "NO_KEY")
    assert missing.exit_code == 2
    assert "--api-key-env: the variable NO_KEY isn't set" in missing.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-usd", "1"], "no price is known for fake: --max-usd needs --price"),
        (["--out", "out.jsonl.gz"], "leave out .gz"),
        (["--out", "./no-such-folder/out.jsonl"], "no-such-folder/out.jsonl"),
    ],
)
def test_it_refuses_with_a_reason(
    upstream: FakeUpstream, texts: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = _run(upstream, texts, "--out", tmp_path / "pairs.jsonl", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not upstream.requests


def test_texts_never_reach_the_terminal(upstream: FakeUpstream, texts: Path, tmp_path: Path) -> None:
    for behaviour in (shortening.Failing(400, 6), shortening.refuses, shortening.deletes_words):
        upstream.behaviour = behaviour
        assert "harbour" not in _run(upstream, texts, "--out", tmp_path / "pairs.jsonl").output
