"""`laconic bench` from the command line, on the embedded model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main

QUICK = ["bench", "--device", "cpu", "--limit", "20", "--rounds", "1"]
EMBEDDED = [*QUICK, "--model", "embedded", "--sizes", "20,60", "--concurrency", "1,2"]


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"COLUMNS": "100"})


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_latency_is_measured_for_every_size_and_concurrency(tmp_path: Path) -> None:
    result = bench(*EMBEDDED, "--json", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.svg"))
    assert result.exit_code == 0, result.output
    assert "latency in ms" in result.output
    found = document(tmp_path / "a.json")
    assert found["hardware"]["cpu"] is not None
    assert found["versions"]["torch"]
    assert len(found["load_average"]) == 3
    assert found["settings"]["sizes"] == [20, 60]
    [model] = found["models"]
    assert model["method"] == "llmlingua2"
    assert model["errors"] == []
    assert model["parameters"] > model["multiplied_parameters"] > 0
    assert model["matmul"]["flops_per_s"] > 0
    assert model["peak_bytes"] > 0
    assert model["peak_of"] == "process"
    cells = [(each["size"], each["concurrency"]) for each in model["latency"]]
    assert cells == [("20", 1), ("20", 2), ("60", 1), ("60", 2), ("mix", 1), ("mix", 2)]
    for each in model["latency"]:
        assert each["requests"] == each["concurrency"]
        assert each["unfinished"] == 0
        assert 0 < each["latency"]["p50"] <= each["latency"]["p95"] <= each["latency"]["p99"]
        assert each["tokens_per_s"] > 0
        assert each["utilisation"] > 0
    assert 40 <= model["latency"][2]["tokens"] <= 80
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_flips_compare_every_two_ways(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    options = ["--no-latency", "--flips", "3", "--other-dtype", "bfloat16", "--json", str(path)]
    result = bench(*EMBEDDED, *options)
    assert result.exit_code == 0, result.output
    [model] = document(path)["models"]
    assert model["latency"] == []
    pairs = {(each["one"], each["other"]): each for each in model["flips"]}
    assert len(pairs) == 6
    assert pairs["alone", "in batches"]["flipped"] == 0
    assert pairs["alone", "loaded again"]["share"] == 0
    assert pairs["alone", "bfloat16"]["words"] > 100


def test_a_model_that_fails_does_not_cost_the_others(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    result = bench(*EMBEDDED, "--model", str(tmp_path), "--no-latency", "--json", str(path))
    assert result.exit_code == 1
    one, other = document(path)["models"]
    assert one["errors"] == []
    assert one["load_s"] > 0
    assert {each["part"] for each in other["errors"]} == {"the machine", "the model"}
    assert "can't load model" in other["errors"][-1]["error"]
    assert "can't load model" in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--sizes", "60,x"], "expected whole numbers from 1"),
        (["--concurrency", "0"], "expected whole numbers from 1"),
        (["--model", "shape:mbart"], "unknown shape 'shape:mbart'"),
        (["--method", "llmlingua3"], "'llmlingua3' is not one of"),
        (["--json", "/no/such/folder/a.json"], "its folder doesn't exist"),
        (["--plot", "a.pdf"], "must end in .png or .svg"),
    ],
)
def test_bad_options_are_refused_at_once(arguments: list[str], reason: str) -> None:
    result = bench(*QUICK, *arguments)
    assert result.exit_code == 2
    assert reason in result.output
