"""The model that a training begins with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from compressors.errors import CompressionError
from compressors.training.classifier.start import load_start


def test_a_token_classifier_goes_on_as_it_is(folder: Path) -> None:
    start, again = load_start(str(folder), seed=1), load_start(str(folder), seed=2)
    assert torch.equal(start.model.classifier.weight, again.model.classifier.weight)
    assert start.window == 32
    assert all(weight.requires_grad and weight.dtype == torch.float32 for weight in start.model.parameters())


def test_an_encoder_gets_a_head_of_two_labels(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    encoder = BertModel(BertConfig.from_pretrained(folder))
    encoder.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    one, same, other = (load_start(str(tmp_path), seed=seed) for seed in (1, 1, 2))
    assert one.model.classifier.weight.shape == (2, 32)
    assert torch.equal(one.model.classifier.weight, same.model.classifier.weight)
    assert not torch.equal(one.model.classifier.weight, other.model.classifier.weight)
    words = encoder.embeddings.word_embeddings.weight
    assert torch.equal(one.model.base_model.embeddings.word_embeddings.weight, words)


def test_the_models_that_ship_can_be_started_from() -> None:
    start = load_start("embedded")
    assert start.model.config.num_labels == 2
    assert all(weight.requires_grad for weight in start.model.parameters())


def test_fresh_weights_are_drawn_with_the_seed(folder: Path) -> None:
    trained = load_start(str(folder)).model.classifier.weight
    one, same, other = (load_start(str(folder), fresh=True, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.model.classifier.weight, same.model.classifier.weight)
    assert not torch.equal(one.model.classifier.weight, other.model.classifier.weight)
    assert not torch.equal(one.model.classifier.weight, trained)


def test_a_form_and_a_tokenizer_are_enough_for_fresh_weights(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "form", ignore=shutil.ignore_patterns("*.safetensors"))
    assert load_start(str(tmp_path / "form"), fresh=True).window == 32
    with pytest.raises(CompressionError, match="can't start from"):
        load_start(str(tmp_path / "form"))


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_layers_can_be_picked(tiny_folder: Callable[[str], Path], kind: str, tmp_path: Path) -> None:
    whole, part = (load_start(str(tiny_folder(kind)), layers=layers) for layers in (None, [1]))
    weights, kept = whole.model.state_dict(), part.model.state_dict()
    renamed = {name.replace(".1.", ".0."): name for name in weights if ".1." in name}
    assert all(torch.equal(kept[new], weights[old]) for new, old in renamed.items())
    assert len(kept) == len(weights) - len(renamed)
    part.model.save_pretrained(tmp_path)
    assert (
        json.loads((tmp_path / "config.json").read_text())[
            "n_layers" if kind == "distilbert" else "num_hidden_layers"
        ]
        == 1
    )


def test_layers_that_differ_can_not_be_picked(tiny_folder: Callable[[str], Path]) -> None:
    with pytest.raises(CompressionError, match="the layers of ModernBertForTokenClassification differ"):
        load_start(str(tiny_folder("modernbert")), layers=[1])


@pytest.mark.parametrize("layers", [[], [2], [0, -1]])
def test_layers_that_are_not_there_are_named(folder: Path, layers: list[int]) -> None:
    with pytest.raises(CompressionError, match="the model's layers are 0 to 1; there are no layers"):
        load_start(str(folder), layers=layers)


def test_dropout_is_that_of_all_layers(folder: Path) -> None:
    for dropout in (0.0, 0.3):
        modules = load_start(str(folder), dropout=dropout).model.modules()
        assert {module.p for module in modules if isinstance(module, torch.nn.Dropout)} == {dropout}


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(CompressionError, match="no folder /nowhere"):
        load_start("/nowhere")
