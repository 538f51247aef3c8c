"""`laconic train export`: folders that laconic loads, what packing loses, cards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

import compressors
from compressors.checkpoint import load_checkpoint
from compressors.training.export.card import UNKNOWN
from compressors.training.export.packing import pack
from compressors.training.record import digest, load
from proxy.cli import main

Trained = Callable[..., Path]
METHODS = {"fit": "llmlingua2", "pretrain": "llmlingua", "align": "llmlingua"}
MEASURES = {"fit": "f1", "pretrain": "bits per byte", "align": "nats per token"}
IDS = torch.arange(1000, 1050)[None]


def _export(folder: Path, to: Path, *more: object) -> Result:
    arguments = ["train", "export", folder, "--to", to, "--threads", 1, *more]
    return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)


def _logits(folder: Path) -> torch.Tensor:
    task = "causal" if "LMHead" in (folder / "config.json").read_text() else "classifier"
    return load_checkpoint(str(folder), task, folder=folder, device="cpu").model(IDS).logits  # type: ignore[no-any-return, arg-type]


@pytest.mark.parametrize(
    ("step", "weights", "tolerance"),
    [
        ("fit", "float32", 0.0),
        ("fit", "float16", 0.02),
        ("fit", "int8", 0.15),
        ("pretrain", "int8", 0.15),
        ("align", "float16", 0.02),
    ],
)
def test_the_exported_model_says_nearly_the_same(
    step: str, weights: str, tolerance: float, trained: Trained, tmp_path: Path
) -> None:
    folder, to = trained(step), tmp_path / "to"
    result = _export(folder, to, "--weights", weights)
    assert result.exit_code == 0, result.output
    torch.testing.assert_close(_logits(to), _logits(folder / "model"), atol=tolerance, rtol=0.0)
    fingerprint = compressors.fingerprint(METHODS[step], str(to))
    assert fingerprint in result.stdout
    card = (to / "README.md").read_text()
    assert fingerprint in card
    assert MEASURES[step] in card
    assert (f"What {weights} weights lose" in card) == (weights != "float32")
    assert digest(to / ("weights.safetensors" if weights == "int8" else "model.safetensors")) in card


def test_another_form_replaces_the_weights(trained: Trained, tmp_path: Path) -> None:
    folder, to = trained("fit"), tmp_path / "to"
    assert _export(folder, to, "--weights", "int8").exit_code == 0
    assert _export(folder, to).exit_code == 0
    assert sorted(path.name for path in to.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_what_eight_bits_lose_of_a_classifier_is_measured(trained: Trained, tmp_path: Path) -> None:
    to = tmp_path / "to"
    result = _export(trained("fit"), to, "--weights", "int8")
    assert "int8 beside float32" in result.stdout
    row = re.search(
        r"What int8 weights lose\n\n.*\n.*\n\| animals \|(.*)\|\n", (to / "README.md").read_text()
    )
    assert row is not None
    f1, f1_packed, _, _, largest, mean, flipped = map(float, row[1].split("|"))
    assert abs(f1 - f1_packed) < 0.1
    assert 0.0 < mean < largest < 0.1
    assert flipped < 0.1


def test_a_card_tells_how_it_was_made_from_the_first_training_on(trained: Trained, tmp_path: Path) -> None:
    first = load(trained("fit", command="laconic train fit --out first"))
    to = tmp_path / "to"
    (tmp_path / "notes.md").write_text("## Limits\n\nIt knows animals only.\n")
    (tmp_path / "card.yaml").write_text(
        "title: Animals\nabout: It keeps big ones.\nlicences: {animals: a zoo; MIT}\n"
    )
    added = ("--notes", tmp_path / "notes.md", "--card", tmp_path / "card.yaml")
    result = _export(trained("fit", before=first), to, *added)
    card = (to / "README.md").read_text()
    assert card.startswith("# Animals\n\nA token classifier")
    assert "BertForTokenClassification`, 2 layers, hidden size 32, 1.0 M parameters" in card
    assert card.index("--out first") < card.index("laconic train fit --data animals.jsonl")
    assert "seed 7; rate 0.0001" in card
    assert card.count("| 100.0 % | animals | a zoo; MIT | 80 | 900 | 50 % |") == 2
    assert card.endswith("## Limits\n\nIt knows animals only.\n")
    assert "no licence" not in result.stderr


def test_a_missing_licence_is_said(trained: Trained, tmp_path: Path) -> None:
    result = _export(trained("fit"), tmp_path / "to")
    assert "no licence of animals" in result.stderr
    assert f"| animals | {UNKNOWN} |" in (tmp_path / "to" / "README.md").read_text()
    result = _export(trained("fit"), tmp_path / "to", "--licence", "animals=a zoo; MIT")
    assert "no licence" not in result.stderr


def test_scripts_are_declared(trained: Trained, tmp_path: Path) -> None:
    folder, to = trained("pretrain"), tmp_path / "to"
    assert _export(folder, to, "--scripts", "LATIN", "--fragmented-share", 0.3).exit_code == 0
    literacy = load_checkpoint(str(to), "causal", folder=to, device="cpu").literacy
    assert literacy.scripts == {"LATIN"}
    assert literacy.fragmented_share == 0.3
    assert "It reads LATIN script only" in (to / "README.md").read_text()


@pytest.mark.parametrize("step", ["fit", "pretrain"])
def test_changed_data_needs_other_data(step: str, trained: Trained, tmp_path: Path) -> None:
    folder, data = trained(step), tmp_path / "animals.jsonl"
    rows = data.read_text().splitlines(keepends=True)
    data.write_text("".join(rows[:-1]))
    result = _export(folder, tmp_path / "to")
    assert result.exit_code == 2
    assert "isn't what the training has read" in result.stderr
    assert not (tmp_path / "to").exists()
    result = _export(folder, tmp_path / "to", "--check", data)
    assert result.exit_code == 0, result.output
    assert "Of other data" in (tmp_path / "to" / "README.md").read_text()


def test_folders_that_hold_something_else_are_refused(trained: Trained, tmp_path: Path) -> None:
    folder = trained("fit")
    assert "is no training's folder" in _export(folder / "model", tmp_path / "to").stderr
    assert "holds the training" in _export(folder, folder / "model").stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    assert "holds something that is no model" in _export(folder, tmp_path / "other").stderr
    (tmp_path / "card.yaml").write_text("licenses: {}")
    result = _export(folder, tmp_path / "to", "--card", tmp_path / "card.yaml")
    assert (result.exit_code, "card.yaml: licenses: " in result.stderr) == (2, True)


def test_packed_rows_are_within_half_a_step() -> None:
    weight = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    weight[3] = 0.0
    packed = pack({"a": weight, "b": weight[0]})
    restored = packed["a.int8"].float() * packed["a.scale"].float()[:, None]
    steps = weight.abs().amax(dim=1, keepdim=True) / 127.0
    assert ((restored - weight).abs() <= 0.56 * steps + 1e-6).all()
    assert torch.equal(packed["b"], weight[0].half())


def test_tied_weights_are_stored_once(trained: Trained, tmp_path: Path) -> None:
    assert _export(trained("pretrain"), tmp_path / "to", "--weights", "int8").exit_code == 0
    names = load_file(tmp_path / "to" / "weights.safetensors").keys()
    assert "bert.embeddings.word_embeddings.weight.int8" in names
    assert not [name for name in names if "decoder" in name]
    assert json.loads((tmp_path / "to" / "config.json").read_text())["is_decoder"]
