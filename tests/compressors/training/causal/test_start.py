"""The models that training begins with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BertLMHeadModel, GPT2Config

from compressors.errors import CompressionError
from compressors.training.causal.start import Start, learn_frequencies, load_start


@pytest.fixture
def model(start: Start) -> Any:
    learn_frequencies(start.model, np.arange(len(start.tokenizer), dtype=np.float64))
    return start.model.train(False)


def test_a_later_token_changes_no_earlier_logit(model: Any) -> None:
    ids = torch.arange(1000, 1040)[None]
    changed = ids.clone()
    changed[:, 25:] = 2000
    before, after = model(ids).logits, model(changed).logits
    assert torch.equal(before[:, :25], after[:, :25])
    assert not torch.allclose(before[:, 25:], after[:, 25:], atol=1e-3)


def test_it_has_the_encoder_and_one_matrix_for_input_and_output(model: Any, encoder: Path) -> None:
    embeddings = model.get_input_embeddings().weight
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(embeddings, load_file(encoder / "model.safetensors")[name])
    assert model.get_output_embeddings().weight is embeddings


def test_frequent_tokens_are_more_probable(model: Any) -> None:
    logits = model(torch.tensor([[101, 2000]])).logits[0, -1]
    assert logits[20_000:].mean() > logits[1000:2000].mean() + 2.0


def test_its_configuration_makes_a_causal_model(model: Any, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path).train(False)
    assert isinstance(again, BertLMHeadModel)
    ids = torch.arange(1000, 1040)[None]
    torch.testing.assert_close(again(ids).logits, model(ids).logits)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["is_decoder"], config["bos_token_id"], config["eos_token_id"]) == (True, 101, 102)


def test_a_start_says_what_stands_before_every_sequence(start: Start) -> None:
    assert (start.window, start.first.tolist(), start.is_headless) == (64, [101], True)


def test_a_folder_without_a_whole_encoder_is_refused(encoder: Path, tokenizer: Any, tmp_path: Path) -> None:
    weights = load_file(encoder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_bytes((encoder / "config.json").read_bytes())
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CompressionError, match=r"lacks weights .*encoder\.layer\.1\.output\.dense\.bias"):
        load_start(str(tmp_path))


def test_a_fresh_encoder_has_other_weights_by_its_seed(encoder: Path, start: Start) -> None:
    fresh, same, other = (load_start(str(encoder), fresh=True, seed=seed) for seed in (1, 1, 2))
    name = "bert.encoder.layer.0.output.dense.weight"
    weights = [each.model.get_parameter(name) for each in (fresh, same, other, start)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[3])


def test_a_causal_model_is_taken_as_it_is_or_drawn_anew(tokenizer: Any, tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=48)
    tokenizer.save_pretrained(tmp_path)
    config.save_pretrained(tmp_path)
    fresh = load_start(str(tmp_path), fresh=True)
    fresh.model.save_pretrained(tmp_path)
    again = load_start(str(tmp_path))
    assert (again.window, again.is_headless) == (48, False)
    for name, weight in again.model.named_parameters():
        assert weight.requires_grad
        assert torch.equal(weight, fresh.model.get_parameter(name))


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(CompressionError, match="can't start from"):
        load_start(str(tmp_path))
