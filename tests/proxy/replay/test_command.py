"""`laconic replay`, as a person calls it: the real proxy, a fake compressor, invented conversations."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from compressors import CompressionError
from proxy.cli import main
from tests.fakes.compressor import EverySecondWord
from tests.proxy.replay.recordings import SECRET_WORD, turns, wrapped, write, write_config

ROOT = Path(__file__).parents[3]


def run(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(main, ["replay", *map(str, arguments)])


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """Two conversations of four turns, and one of one."""
    return write(tmp_path / "talks.jsonl", wrapped([turns("a"), turns("b"), turns("c", 1)]))


@pytest.fixture
def half(tmp_path: Path, compressor: EverySecondWord) -> Path:
    """A configuration that halves the users' texts."""
    return write_config(tmp_path / "half.yaml")


def figures(path: Path) -> list[dict[str, Any]]:
    summaries: list[dict[str, Any]] = json.loads(path.read_text())["summaries"]
    return summaries


def test_costs_are_shown_beside_those_without_laconic(traffic: Path, half: Path, tmp_path: Path) -> None:
    off = write_config(tmp_path / "off.yaml", mode="off")
    output = tmp_path / "out.json"
    result = run(traffic, "--config", half, "--config", off, "--json", output)
    assert result.exit_code == 0, result.output
    for shown in ("without laconic", "half", "off", "input cost", "cache hit rate", "prefix breaks"):
        assert shown in result.output
    halved, untouched = figures(output)
    assert (halved["conversations"], halved["requests"], halved["refused"]) == (3, 9, {})
    before, after = halved["without_laconic"], halved["sent"]
    assert before["input_tokens"] - after["input_tokens"] == halved["saved_tokens"] > 0
    assert before["cached_tokens"] > after["cached_tokens"] > 0
    assert halved["change"] == pytest.approx(after["usd"] / before["usd"] - 1)
    assert -0.6 < halved["change"] < -0.1
    assert (halved["prefix_breaks"], halved["conversations_that_cost_more"]) == ([], [])
    assert halved["compress_ms"]["requests"] == 9
    assert halved["compress_ms"]["p50"] <= halved["compress_ms"]["p99"] <= halved["compress_ms"]["total"]
    assert untouched["sent"] == untouched["without_laconic"] == before
    assert (untouched["change"], untouched["saved_tokens"]) == (0, 0)
    assert not list(tmp_path.glob("*.db"))  # the configured store is left alone


def test_several_files_models_and_policies_add_up(
    traffic: Path, tmp_path: Path, compressor: EverySecondWord
) -> None:
    other = write(tmp_path / "more.jsonl.gz", turns("d", 3))
    config = write_config(tmp_path / "two.yaml")
    named = config.read_text().replace(
        "routes:\n", "routes:\n- {match: {model: other*}, name: o, upstream: openai}\n"
    )
    config.write_text(named)
    rows = [json.loads(line) for line in traffic.read_text().splitlines()]
    rows[-1]["request"]["model"] = "other-model"
    write(traffic, rows)
    output = tmp_path / "out.json"
    billed = ["--bill-as", "gpt-4o", "--bill-as", "claude-sonnet-4-5"]
    result = run(traffic, other, "--config", config, *billed, "--json", output)
    assert result.exit_code == 0, result.output
    found = {(each["billed_as"], each["traffic"], each["policy"]): each for each in figures(output)}
    places = [("talks", "all"), ("more", "all"), ("all", "all"), ("all", ""), ("all", "careful")]
    models = ("gpt-4o", "claude-sonnet-4-5")
    assert list(found) == [(model, *place) for model in models for place in places]
    for model in models:
        whole = found[model, "all", "all"]
        for parts in (places[:2], places[3:]):
            assert whole["requests"] == sum(found[model, *place]["requests"] for place in parts)
            assert whole["sent"]["usd"] == pytest.approx(sum(found[model, *p]["sent"]["usd"] for p in parts))
    assert found["claude-sonnet-4-5", "all", "all"]["sent"]["written_tokens"] > 0
    assert "two, policy careful, billed as gpt-4o" in result.output


def test_refused_requests_are_counted_and_billed_as_they_came(
    tmp_path: Path, compressor: EverySecondWord
) -> None:
    compressor.error = CompressionError("out of luck")
    traffic = write(tmp_path / "talks.jsonl", wrapped([turns(salt, 1) for salt in "abc"]))
    config = write_config(tmp_path / "strict.yaml", on_failure="reject")
    output = tmp_path / "out.json"
    result = run(traffic, "--config", config, "--json", output)
    assert result.exit_code == 0, result.output
    (summary,) = figures(output)
    assert list(summary["refused"].values()) == [3]
    assert next(iter(summary["refused"])).startswith("503 ")
    assert summary["sent"] == summary["without_laconic"]
    assert re.search(r"refused: 503 \w+ +│ +– │ +3 ", result.output)


def test_texts_left_alone_are_shown_by_reason(
    traffic: Path, tmp_path: Path, compressor: EverySecondWord
) -> None:
    compressor.error = CompressionError("out of luck")
    output = tmp_path / "out.json"
    result = run(traffic, "--config", write_config(tmp_path / "c.yaml"), "--json", output)
    (summary,) = figures(output)
    assert sum(summary["skips"].values()) > 9
    assert all(f"│ {reason} " in result.output for reason in summary["skips"])


def test_a_broken_prefix_is_named_without_a_text(tmp_path: Path, compressor: EverySecondWord) -> None:
    requests = turns("a", 3)
    # What a caller asks for in a header changes between turns, and the texts with it.
    rows = [
        {"conversation": "talk", "headers": {"x-laconic-mode": mode}, "request": request}
        for request, mode in zip(requests, ("on", "off", "off"), strict=True)
    ]
    config = write_config(tmp_path / "c.yaml", targets=[{"role": ["user"], "min_tokens": 20}])
    config.write_text(config.read_text().replace("policy: careful", "policy: careful\n  overrides: [mode]"))
    output = tmp_path / "out.json"
    result = run(write(tmp_path / "talks.jsonl", rows), "--config", config, "--json", output)
    assert result.exit_code == 0, result.output
    (summary,) = figures(output)
    place = {"traffic": "talks", "conversation": "talk", "turn": 1, "message": 1, "role": "user"}
    assert summary["prefix_breaks"] == [place]
    assert re.search(r"talks: talk +│ +1 │ +1 │ +user", result.output)


def test_a_shared_cache_is_warm_for_the_second_conversation(tmp_path: Path, half: Path) -> None:
    same = turns("a", 1, 1500)
    path = write(tmp_path / "talks.jsonl", wrapped([same, same]))
    output = tmp_path / "out.json"
    cached = []
    for cache in ("conversation", "shared"):
        assert run(path, "--config", half, "--cache", cache, "--json", output).exit_code == 0
        cached.append(figures(output)[0]["without_laconic"]["cached_tokens"])
    assert cached[0] == 0 < cached[1]


class Page(HTMLParser):
    """Notes what a page loads, and what stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data") and value and not value.startswith("#"):
                self.loaded.append(value)


def test_no_report_holds_a_text(traffic: Path, half: Path, tmp_path: Path) -> None:
    outputs = {name: tmp_path / f"out.{name}" for name in ("json", "html", "journal")}
    options = [part for name, path in outputs.items() for part in (f"--{name}", path)]
    result = run(traffic, "--config", half, *options)
    assert result.exit_code == 0, result.output
    written = [path.read_text(encoding="utf-8") for path in outputs.values()]
    assert not [text for text in [result.output, *written] if SECRET_WORD in text or "worda" in text]


def test_the_page_is_whole_and_loads_nothing(traffic: Path, half: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.html"
    models = ["--bill-as", "gpt-4o", "--bill-as", "claude-sonnet-4-5"]
    assert run(traffic, "--config", half, *models, "--html", output).exit_code == 0
    content = output.read_text(encoding="utf-8")
    page = Page()
    page.feed(content)
    assert page.loaded == []
    assert "url(http" not in content
    assert "script" not in page.tags
    pictures = re.findall(r"<svg.*?</svg>", content, re.DOTALL)
    assert len(pictures) == 2
    assert all(ElementTree.fromstring(picture).tag.endswith("svg") for picture in pictures)
    assert page.tags.count("table") >= 2
    assert "without laconic" in content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bill-as", "no-such-model"], "no price is known of the model 'no-such-model'"),
        (["--json", "./no-such-folder/out.json"], "no-such-folder/out.json: its folder doesn't exist"),
        (["--cache", "shared", "--journal", "j"], "--journal needs --cache conversation"),
        (["--journal", str(ROOT / "README.md")], "README.md:1: not a line of a replay's journal"),
    ],
)
def test_it_refuses_with_a_reason(traffic: Path, half: Path, arguments: list[str], message: str) -> None:
    result = run(traffic, "--config", half, *arguments)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", "")


def test_unusable_files_are_named(traffic: Path, half: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("routes: 5\n")
    result = run(traffic, "--config", bad)
    assert (result.exit_code, f"{bad}:1: routes" in result.output) == (2, True)
    line = write(tmp_path / "bad.jsonl", [5])
    result = run(line, "--config", half)
    assert (result.exit_code, f"{line}:1: expected a JSON object" in result.output) == (2, True)
    twice = run(traffic, traffic, "--config", half)
    assert (twice.exit_code, "2 files are called talks" in twice.output) == (2, True)
    again = run(traffic, "--config", half, "--config", half)
    assert (again.exit_code, "given twice" in again.output) == (2, True)


def test_a_model_that_isnt_there_is_named(traffic: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml")
    config.write_text(config.read_text() + "compressors: {default: {model: ./no-such-folder}}\n")
    result = run(traffic, "--config", config)
    assert result.exit_code == 2
    assert "no-such-folder" in result.output


def test_the_configuration_may_name_prices(traffic: Path, half: Path, tmp_path: Path) -> None:
    half.write_text(half.read_text() + "models: {own-*: {input_usd_per_million: 1000000}}\n")
    output = tmp_path / "out.json"
    assert run(traffic, "--config", half, "--bill-as", "own-model", "--json", output).exit_code == 0
    (summary,) = figures(output)
    assert summary["sent"]["usd"] == pytest.approx(summary["sent"]["input_tokens"])


def test_a_page_without_matplotlib_says_what_to_install(
    traffic: Path, half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # what an import of a missing module meets
    result = run(traffic, "--config", half, "--html", tmp_path / "out.html")
    assert result.exit_code == 2
    assert "pip install 'laconic[eval]'" in result.output


def test_the_command_is_cheap_to_import() -> None:
    heavy = "{'torch', 'transformers', 'matplotlib', 'litellm'}"
    code = f"import sys, proxy.cli.replay; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
