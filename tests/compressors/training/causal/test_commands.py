"""`laconic train pretrain` and `align`, from data to a model that laconic loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from compressors.checkpoint import load_checkpoint
from compressors.training.precision import choose_precision
from compressors.training.record import load
from proxy.cli import main

SHARES = {"novels.txt.xz": "0.5", "news.jsonl.gz": "0.3", "meetings.jsonl.gz": "0.2"}


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)], catch_exceptions=False)


def _pretrain(data: Path, encoder: Path, out: Path, *more: object) -> Result:
    files = [part for name, share in SHARES.items() for part in ("--data", f"{data / name}={share}")]
    lengths = ("--batch-tokens", 128, "--length", 16, "--last-length", 32)
    return _run("pretrain", *files, "--start", encoder, "--out", out, "--steps", 4, *lengths, *more)


@pytest.fixture(scope="module")
def out(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    result = _pretrain(data, encoder, folder, "--rate", 3e-3)
    assert result.exit_code == 0, result.output
    assert "bits per byte" in result.stdout
    return folder


def test_the_model_is_one_that_laconic_loads(out: Path) -> None:
    folder = out / "model"
    checkpoint = load_checkpoint(str(folder), "causal", folder=folder, device="cpu")
    assert checkpoint.window == 64
    assert checkpoint.tokenizer("Dog")["input_ids"] == [101, 3899, 102]
    weights = torch.load(out / "checkpoint.pt", weights_only=True)["weights"]
    for name, weight in checkpoint.model.named_parameters():
        assert torch.equal(weight, weights[name]), name


def test_the_record_holds_what_a_card_needs(out: Path, data: Path) -> None:
    record = load(out)
    assert (record.task, record.steps, record.tokens) == ("causal", 4, 512)
    assert record.precision == choose_precision("auto", torch.device("cpu"))
    assert [(each.name, each.share, each.rows) for each in record.data] == [
        ("novels", 0.5, 80),
        ("news", 0.3, 80),
        ("meetings", 0.2, 80),
    ]
    assert record.data[0].path == str(data / "novels.txt.xz")
    assert record.settings["last_length"] == 32
    for figures in record.figures.values():
        assert figures["bits_per_byte"] < figures["unigram"] * 1.5


def test_every_validation_is_logged_from_before_the_first_step(out: Path) -> None:
    entries = [json.loads(line) for line in (out / "log").read_text().splitlines()]
    assert [entry["steps"] for entry in entries] == [0, 1, 2, 3, 4]
    assert entries[-1]["overall"] < entries[0]["overall"]
    assert [entry["best"] for entry in entries][-1]


def test_the_same_command_goes_on_and_another_is_refused(out: Path, data: Path, encoder: Path) -> None:
    before = (out / "checkpoint.pt").read_bytes()
    assert _pretrain(data, encoder, out, "--rate", 3e-3).exit_code == 0  # it was over
    assert (out / "checkpoint.pt").read_bytes() == before
    result = _pretrain(data, encoder, out, "--seed", 2)
    assert result.exit_code == 2
    assert "holds a training with other data, start, lengths or seed" in result.stderr


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    rows = [{"prompt": f"what is {i}?", "answer": "a cat that sees a dog"} for i in range(60)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _align(pairs: Path, out: Path, to: Path, *more: object) -> Any:
    common = ("--start", out / "model", "--out", to, "--steps", 8, "--batch-tokens", 128, "--device", "cpu")
    return _run("align", "--data", pairs, *common, *more)


def test_answers_surprise_less_after_alignment(out: Path, pairs: Path, tmp_path: Path) -> None:
    result = _align(pairs, out, tmp_path, "--rate", 3e-2, "--every", 4)
    assert result.exit_code == 0, result.output
    entries = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert entries[-1]["overall"] < 0.9 * entries[0]["overall"]
    record = load(tmp_path)
    assert record.before == load(out)
    assert record.figures["pairs"]["nats_per_token"] == min(entry["overall"] for entry in entries)


def test_a_tuning_that_only_hurts_ends_early_and_leaves_the_start(
    out: Path, pairs: Path, tmp_path: Path
) -> None:
    result = _align(pairs, out, tmp_path, "--rate", 1e3, "--patience", 2, "--every", 1, "--warm-up", 0)
    assert result.exit_code == 0, result.output
    assert load(tmp_path).steps == 2
    kept, first = (
        load_checkpoint("", "causal", folder=folder / "model", device="cpu").model
        for folder in (tmp_path, out)
    )
    for name, weight in first.named_parameters():
        assert torch.equal(weight, kept.get_parameter(name))


@pytest.mark.parametrize("command", ["pretrain", "align"])
def test_bad_input_is_refused_by_name(command: str, data: Path, encoder: Path, tmp_path: Path) -> None:
    common = (command, "--start", encoder, "--out", tmp_path / "out")
    result = _run(*common, "--data", data / "novels.txt.xz")
    assert (result.exit_code, "give --minutes or --steps" in result.stderr) == (2, True)
    (tmp_path / "a.jsonl").write_text('{"body": 1}\n')
    result = _run(*common, "--data", tmp_path / "a.jsonl", "--steps", 1)
    assert (result.exit_code, "a.jsonl:1: " in result.stderr) == (2, True)
    result = _run(
        command, "--data", data / "news.jsonl.gz", "--start", "./none", "--out", tmp_path, "--steps", 1
    )
    assert (result.exit_code, "no folder none" in result.stderr) == (2, True)
