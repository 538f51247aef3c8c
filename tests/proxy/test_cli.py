"""The commands, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import compressors
from policies.config import Config
from policies.tokens import tokenizer
from proxy.cli import main
from tests.fakes.laconic import words

CONFIG = """\
upstreams:
  openai: {base_url: "https://api.openai.com/v1", api_key: "${TEST_API_KEY}"}
policies:
  careful:
    targets: [{role: user, min_tokens: 20}, {role: system, mode: off}]
    ranges: [{rate: 0.5}]
    min_saved_tokens: 10
routes:
  - {name: rag, path: /rag/v1, upstream: openai, policy: careful, overrides: [rate]}
  - {name: default, match: {model: "gpt-*"}, upstream: openai}
"""


PASSAGES = (
    "Use the documents.\n\n"
    + "\n".join(
        f"Document [{number}](Title: {title}) "
        + f"The old {title} of the town was opened in 19{number}1 by {who}. " * 4
        for number, (title, who) in enumerate(
            [
                ("harbour", "fishermen"),
                ("bridge", "Maria Lindqvist"),
                ("market", "farmers"),
                ("school", "the king"),
            ],
            1,
        )
    )
    + "\n\nQuestion: who opened the bridge?\nAnswer:"
)


def _run(*arguments: str, text: str | None = None, **environment: str) -> Result:
    settings = {"TEST_API_KEY": "sk-very-secret", "COLUMNS": "160", **environment}
    return CliRunner(env=settings).invoke(main, arguments, input=text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "laconic.yaml"
    file.write_text(CONFIG)
    return file


@pytest.mark.parametrize("command", ["serve", "check", "compress", "eval", "key", "schema", "demo"])
def test_every_command_explains_itself(command: str) -> None:
    assert command in _run("--help").output
    result = _run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_check_shows_the_routes_but_no_key(path: Path) -> None:
    result = _run("check", str(path))
    assert result.exit_code == 0, result.output
    for word in ("rag", "/rag/v1", "careful", "gpt-*", "https://api.openai.com/v1"):
        assert word in result.output
    assert "sk-very-secret" not in result.output


def test_check_names_what_is_wrong_and_exits_with_2(path: Path) -> None:
    path.write_text(CONFIG.replace("rate: 0.5", "rat: 0.5"))
    result = _run("check", str(path))
    assert result.exit_code == 2
    assert f"{path}:6: policies.careful.ranges.0.rat: unknown key" in result.output
    assert "did you mean rate?" in result.output


def test_check_names_a_variable_that_is_not_set(path: Path) -> None:
    path.write_text(CONFIG.replace("TEST_API_KEY", "NO_SUCH_KEY"))
    result = _run("check", str(path))
    assert result.exit_code == 2
    assert "NO_SUCH_KEY is not set" in result.output


def test_check_plans_a_request(path: Path, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    messages = [
        {"role": "system", "content": words(100)},
        {"role": "user", "content": words(100) + " see https://example.com/a?b=1 or pay 1,240 EUR"},
        {"role": "assistant", "content": "fine"},
        {"role": "user", "content": "short"},
    ]
    request.write_text(json.dumps({"model": "gpt-4o", "messages": messages}))
    result = _run("check", str(path), str(request), "--header", "x-laconic-rate: 0.75")
    assert result.exit_code == 0, result.output
    rows = [line for line in result.output.splitlines() if " user " in line or " system " in line]
    assert "left alone: off" in rows[0]
    assert "shortened: rate 0.75" in rows[1]
    assert "2 spans" in rows[1]
    assert "left alone: too_short" in rows[2]
    assert "o200k_base" in result.output
    assert "sk-very-secret" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--path", "/nowhere"], "no route matches"),
        (["--header", "x-laconic-rate: much"], "x-laconic-rate"),
    ],
)
def test_check_refuses_requests_that_the_proxy_would(
    path: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"model": "m", "messages": []}')
    result = _run("check", str(path), str(request), *arguments)
    assert result.exit_code == 2
    assert message in result.output
    request.write_text("{")
    assert "not JSON" in _run("check", str(path), str(request)).output.replace("ends before", "not JSON")


def test_check_of_a_route_that_passes_through(path: Path, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"model": "gpt-4o", "messages": []}')
    result = _run("check", str(path), str(request), "--path", "/v1/chat/completions")
    assert "passes through untouched" in result.output


def test_check_tells_of_documents_and_the_question(path: Path, tmp_path: Path) -> None:
    path.write_text(
        CONFIG.replace("    min_saved_tokens: 10", "    min_saved_tokens: 10\n    documents: {split: auto}")
    )
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": PASSAGES}]}
    request = tmp_path / "request.json"
    request.write_text(json.dumps(body))
    result = _run("check", str(path), str(request))
    assert result.exit_code == 0, result.output
    assert "rate 0.5; 4 documents; for a question" in " ".join(result.output.split())


def test_schema_is_the_configurations() -> None:
    assert json.loads(_run("schema").output) == Config.model_json_schema()


PROSE = (
    "Well, I think that the committee should probably meet again on Thursday, because there are still several "
    "questions about the budget of 1,240 EUR that nobody has really been able to answer so far. "
) * 4


def test_compress_prints_what_stays_and_counts_on_stderr() -> None:
    result = _run("compress", "--rate", "0.5", text=PROSE)
    assert result.exit_code == 0, result.output
    assert 0.3 < len(result.stdout) / len(PROSE) < 0.7
    assert "1,240 EUR" in result.stdout
    assert "tokens" in result.stderr


def test_compress_finds_documents_and_the_question() -> None:
    result = _run(
        "compress", "--method", "longllmlingua", "--documents", "auto", "--rate", "0.3", "--device", "cpu",
        text=PASSAGES,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Use the documents.\n\n")
    assert result.stdout.endswith("\n\nQuestion: who opened the bridge?\nAnswer:")
    assert "Document [2](Title: bridge)" in result.stdout
    assert "Maria Lindqvist" in result.stdout
    assert sum(f"Document [{number}]" in result.stdout for number in range(1, 5)) < 4


def test_compress_reads_a_file_and_shows_the_difference(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text(PROSE)
    result = _run("compress", str(file), "--target-tokens", "60", "--diff", FORCE_COLOR="1")
    assert result.exit_code == 0, result.output
    assert "\x1b[" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        (["--rate", "0.4"], {"rate": 0.4}),
        (
            ["--target-tokens", "60", "--force-token", "Well", "--force-digits"],
            {"target_token": 60, "force_tokens": ["Well"], "force_reserve_digit": True},
        ),
    ],
)
def test_compress_gives_the_packages_text(arguments: list[str], parameters: dict[str, Any]) -> None:
    compressor = compressors.load("llmlingua2", device="cpu", compat="0.2.2")
    assert isinstance(compressor, compressors.PromptCompressor)
    expected = compressor.compress_prompt([PROSE], tokenizer=tokenizer("cl100k_base"), **parameters)
    result = _run("compress", "--compat", "0.2.2", "--device", "cpu", *arguments, text=PROSE)
    assert result.exit_code == 0, result.output
    assert result.stdout == expected.compressed_prompt != PROSE
    assert f"{expected.origin_tokens} → {expected.compressed_tokens} tokens" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "./no-such-folder"], "no-such-folder"),
        (["--rate", "0"], "--rate"),
        (["--method", "none"], "llmlingua2"),
        (["no-such-file.txt"], "no-such-file.txt"),
        (["--compat", "0.1.0"], "0.2.2"),
        (["--compat", "0.2.2", "--min-probability", "0.5"], "--min-probability"),
        (["--compat", "0.2.2", "--protect", "nothing"], "--protect"),
        (["--compat", "0.2.2", "--count-as", "gpt-4"], "--count-as"),
        (["--compat", "0.2.2", "--diff"], "--diff"),
    ],
)
def test_compress_refuses_with_a_reason(arguments: list[str], message: str) -> None:
    result = _run("compress", *arguments, text=PROSE)
    assert result.exit_code == 2
    assert message in result.output


def test_serve_refuses_a_redis_store_without_a_secret(path: Path) -> None:
    path.write_text(CONFIG + "store: redis://127.0.0.1:1/0\n")
    result = _run("serve", "--config", str(path))
    assert result.exit_code == 2
    assert "LACONIC_SECRET" in result.output


@pytest.mark.parametrize(
    ("name", "value"), [("LACONIC_SECRET", "short"), ("LACONIC_UPSTREAM_URL", "ftp://x")]
)
def test_serve_names_a_bad_variable(name: str, value: str) -> None:
    result = _run("serve", **{name: value})
    assert result.exit_code == 2
    assert name in result.output
