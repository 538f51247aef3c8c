"""The three commands, from data to a model that laconic loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from transformers import BertConfig, BertLMHeadModel

from compressors.checkpoint import load_checkpoint
from compressors.training import export
from compressors.training.causal import evaluation
from compressors.training.causal import run as causal
from compressors.training.export import pack


@pytest.fixture(scope="module")
def out(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was over after a step or so."""
    folder = tmp_path_factory.mktemp("out")
    _train(data, encoder, folder)
    return folder


@pytest.fixture(scope="module")
def folder(out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "causal"
    _run(export.main, "--out", out, "--to", folder)
    return folder


def _train(data: Path, encoder: Path, out: Path) -> None:
    threads = ("--threads", torch.get_num_threads())
    lengths = ("--batch-tokens", 128, "--length", 16, "--last-length", 32)
    place = ("--data", data, "--start", encoder, "--out", out)
    _run(causal.main, *place, "--minutes", 1e-6, *threads, *lengths)


def _run(command: Any, *arguments: object) -> str:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_training_leaves_checkpoint_and_log(out: Path) -> None:
    [line] = (out / "log").read_text().splitlines()
    assert "step 1 tokens 128" in line
    assert "progress 1.000" in line
    assert "novels" in line
    assert "questions" in line


def test_the_same_command_goes_on(out: Path, data: Path, encoder: Path) -> None:
    before = (out / "checkpoint.pt").read_bytes()
    _train(data, encoder, out)  # it was over
    assert (out / "checkpoint.pt").read_bytes() == before


def test_the_exported_model_has_nearly_the_same_logits(out: Path, folder: Path) -> None:
    weights = torch.load(out / "checkpoint.pt", weights_only=True)["weights"]
    exact = BertLMHeadModel(BertConfig.from_pretrained(out / "model")).train(False)
    exact.load_state_dict(weights, strict=False)
    ids = torch.arange(1000, 1050)[None]
    packed = load_checkpoint(str(folder), "causal", folder=folder, device="cpu")
    torch.testing.assert_close(packed.model(ids).logits, exact(ids).logits, atol=0.03, rtol=0.0)


def test_tied_weights_are_stored_once(folder: Path) -> None:
    names = load_file(folder / "weights.safetensors").keys()
    assert "bert.embeddings.word_embeddings.weight.int8" in names
    assert not [name for name in names if "decoder" in name]


def test_the_exported_folder_is_complete(folder: Path) -> None:
    assert json.loads((folder / "config.json").read_text())["is_decoder"]
    checkpoint = load_checkpoint(str(folder), "causal", folder=folder, device="cpu")
    assert checkpoint.window == 64
    assert checkpoint.literacy.scripts == {"LATIN"}
    assert checkpoint.tokenizer("Dog")["input_ids"] == [101, 3899, 102]


def test_the_evaluation_prints_every_domain(out: Path, folder: Path, data: Path) -> None:
    table = _run(evaluation.main, "--data", data, "--out", out, "--model", folder, "--threads", 1)
    rows = [line.split(" | ") for line in table.splitlines()]
    assert [row[0].removeprefix("| ") for row in rows[2:]][:2] == ["novels", "docs"]
    assert all(0.0 < float(cell.rstrip(" |")) < 50.0 for row in rows[2:] for cell in row[2:])


def test_packed_rows_are_within_half_a_step() -> None:
    weight = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    weight[3] = 0.0
    packed = pack({"a": weight, "b": weight[0]})
    restored = packed["a.int8"].float() * packed["a.scale"].float()[:, None]
    steps = weight.abs().amax(dim=1, keepdim=True) / 127.0
    assert ((restored - weight).abs() <= 0.56 * steps + 1e-6).all()
    assert torch.equal(packed["b"], weight[0].half())
