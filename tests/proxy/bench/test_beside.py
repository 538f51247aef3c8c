"""Beside the llmlingua package: the same weights, the same words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from compressors.shapes import SHAPES
from proxy.cli import main

pytest.importorskip("llmlingua", reason="the package: pip install llmlingua==0.2.2")
pytestmark = pytest.mark.filterwarnings("default")  # the package's

SMALL: dict[str, Any] = {
    "vocab_size": 31_000,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes of both tasks that are made in no time."""
    encoder = {**SMALL, "max_position_embeddings": 512, "type_vocab_size": 2}
    monkeypatch.setitem(SHAPES, "small-encoder", ("classifier", "bert", encoder))
    causal = {**SMALL, "vocab_size": 1500, "max_position_embeddings": 4096}
    monkeypatch.setitem(SHAPES, "small-causal", ("causal", "llama", causal))


def beside(path: Path, model: str, *options: str) -> dict[str, Any]:
    """The first model of the document that the command writes."""
    arguments = ["bench", "--device", "cpu", "--no-latency", "--beside-llmlingua", "--rounds", "1"]
    arguments += ["--sizes", "60,700", "--messages", "5", "--model", model, "--json", str(path), *options]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["models"][0]
    return found


def test_every_word_is_decided_as_the_package_does(small: None, tmp_path: Path) -> None:
    found = beside(tmp_path / "a.json", "shape:small-encoder")["beside"]
    assert [each["case"] for each in found] == ["60", "700", "5 messages"]
    for each in found:
        assert each["words_alike"] == each["texts_alike"] == 1
        names = [side["name"] for side in each["sides"]]
        assert names == ["llmlingua 0.2.2", "laconic, parity", "laconic, default"]
        assert each["sides"][0]["times"] == 1
        assert all(len(side["seconds"]) == 1 for side in each["sides"])
    assert found[1]["words"] > 400


@pytest.mark.parametrize(("method", "cases"), [("llmlingua", ["60", "700"]), ("longllmlingua", ["20×150"])])
def test_causal_methods_give_the_packages_text(
    small: None, tmp_path: Path, method: str, cases: list[str]
) -> None:
    found = beside(tmp_path / "a.json", "shape:small-causal", "--method", method)
    assert found["model"] == "shape:small-causal@bytes"
    assert [each["case"] for each in found["beside"]] == cases
    assert all(each["texts_alike"] == 1 for each in found["beside"])
