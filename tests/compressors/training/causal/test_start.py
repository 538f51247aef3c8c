"""The decoder that training begins with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BertLMHeadModel

from compressors.training.causal.start import load_start


@pytest.fixture(scope="module")
def model(encoder: Path, tokenizer: Any) -> Any:
    return load_start(encoder, tokenizer, np.arange(len(tokenizer), dtype=np.float64)).train(False)


def test_a_later_token_changes_no_earlier_logit(model: Any) -> None:
    ids = torch.arange(1000, 1040)[None]
    changed = ids.clone()
    changed[:, 25:] = 2000
    before, after = model(ids).logits, model(changed).logits
    assert torch.equal(before[:, :25], after[:, :25])
    assert not torch.allclose(before[:, 25:], after[:, 25:], atol=1e-3)


def test_it_has_the_encoder_and_one_matrix_for_input_and_output(model: Any, encoder: Path) -> None:
    embeddings = model.get_input_embeddings().weight
    assert torch.equal(
        embeddings, load_file(encoder / "model.safetensors")["embeddings.word_embeddings.weight"]
    )
    assert model.get_output_embeddings().weight is embeddings


def test_frequent_tokens_are_more_probable(model: Any) -> None:
    logits = model(torch.tensor([[101, 2000]])).logits[0, -1]
    assert logits[20_000:].mean() > logits[1000:2000].mean() + 2.0


def test_its_configuration_makes_a_causal_model(model: Any, tmp_path: Path) -> None:
    model.config.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["architectures"] == ["BertLMHeadModel"]
    assert written["laconic"] == {"scripts": ["LATIN"], "fragmented_share": 0.4}
    assert written["bos_token_id"] == 101
    again = AutoModelForCausalLM.from_config(model.config)  # type: ignore[no-untyped-call]
    assert isinstance(again, BertLMHeadModel)
    assert again.config.is_decoder


def test_the_tokenizer_pads_and_cuts_nothing(tokenizer: Any) -> None:
    assert len(tokenizer("word " * 300)["input_ids"]) == 302
    assert len(tokenizer("word")["input_ids"]) == 3


def test_a_folder_without_a_whole_encoder_is_refused(encoder: Path, tokenizer: Any, tmp_path: Path) -> None:
    weights = load_file(encoder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((encoder / "config.json").read_bytes())
    with pytest.raises(ValueError, match=r"lacks weights .*encoder\.layer\.1\.output\.dense\.bias"):
        load_start(tmp_path, tokenizer, np.ones(len(tokenizer)))
