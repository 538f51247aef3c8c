"""Models of known shapes: their sizes, their weights, and how they are named."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification

import compressors
from compressors import CompressionError, Job
from compressors.checkpoint import load_checkpoint
from compressors.shapes import SHAPES, config_of

TEXT = (
    "The committee of the old town agreed on the price of a new bridge. Nobody knows what it will cost. " * 3
)
SIZES = {
    "xlm-roberta-large": 558_842_882,
    "mbert": 177_264_386,
    "gpt2": 124_439_808,
    "llama-2-7b": 6_738_415_616,
    "phi-2": 2_779_683_840,
    "qwen2.5-0.5b": 494_032_768,
}
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
    encoder = {**SMALL, "max_position_embeddings": 514, "type_vocab_size": 1}
    monkeypatch.setitem(SHAPES, "small-encoder", ("classifier", "xlm-roberta", encoder))
    causal = {**SMALL, "max_position_embeddings": 600, "rope_theta": 50_000.0}
    monkeypatch.setitem(SHAPES, "small-causal", ("causal", "llama", causal))


@pytest.mark.parametrize(("name", "weights"), SIZES.items())
def test_a_shape_has_as_many_weights_as_the_model_it_is_named_after(name: str, weights: int) -> None:
    classes: dict[str, Any] = {
        "classifier": AutoModelForTokenClassification,
        "causal": AutoModelForCausalLM,
    }
    with torch.device("meta"):
        model = classes[SHAPES[name][0]].from_config(config_of(f"shape:{name}"))
    assert sum(weight.numel() for weight in model.parameters()) == weights


def test_phi_turns_a_part_of_each_head() -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config_of("shape:phi-2"))  # type: ignore[no-untyped-call]
    assert model.model.rotary_emb.inv_freq.shape == (16,)  # 0.4 of 80, by pairs


@pytest.mark.parametrize("name", ["small-encoder", "small-causal"])
def test_every_weight_and_buffer_is_defined(small: None, name: str) -> None:
    task = SHAPES[name][0]
    model = load_checkpoint(f"shape:{name}", task, device="cpu").model
    for key, weight in (*model.named_parameters(), *model.named_buffers()):
        assert weight.isfinite().all()
        assert weight.abs().max() < 1000, key
    for key, weight in model.named_parameters():
        if key.endswith("bias"):
            assert not weight.any()
        elif weight.ndim < 2:
            assert (weight == 1).all(), key
        elif weight.numel() > 500 and "classifier" not in key:
            assert weight.std() == pytest.approx(0.02, rel=0.1), key


def test_rotary_frequencies_are_those_of_the_configuration(small: None) -> None:
    model = load_checkpoint("shape:small-causal", "causal", device="cpu", dtype="bfloat16").model
    frequencies = model.model.rotary_emb.inv_freq
    assert frequencies.dtype == torch.float32
    assert frequencies.tolist() == pytest.approx([50_000 ** (-i / 8) for i in range(0, 8, 2)])


@pytest.mark.parametrize("name", ["small-encoder", "small-causal"])
def test_weights_are_the_same_each_time_and_in_every_dtype_up_to_rounding(small: None, name: str) -> None:
    one, other, rounded = (
        dict(load_checkpoint(f"shape:{name}", SHAPES[name][0], device="cpu", dtype=dtype).model.state_dict())
        for dtype in (None, None, "bfloat16")
    )
    for key, weight in one.items():
        assert torch.equal(weight, other[key])
        assert rounded[key].dtype == (torch.bfloat16 if weight.is_floating_point() else weight.dtype)
        assert torch.equal(weight.to(rounded[key].dtype), rounded[key])


def test_making_a_model_leaves_the_process_as_it_was(small: None) -> None:
    state, dtype = torch.get_rng_state(), torch.get_default_dtype()
    load_checkpoint("shape:small-causal", "causal", device="cpu", dtype="bfloat16")
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_default_dtype() is dtype


def test_the_window_is_the_shapes(small: None) -> None:
    assert load_checkpoint("shape:small-encoder", "classifier", device="cpu").window == 512
    assert load_checkpoint("shape:small-causal", "causal", device="cpu").window == 600


def test_probabilities_are_spread() -> None:
    compressor = compressors.load("llmlingua2", "shape:mbert", device="cpu")
    [result] = compressor.compress([Job(text=TEXT, word_labels=True)])
    probabilities = [word.probability for word in result.words]
    assert min(probabilities) < 0.35
    assert max(probabilities) > 0.65
    assert result.compressed_tokens == result.original_tokens // 2


@pytest.mark.parametrize("method", ["llmlingua", "longllmlingua"])
def test_causal_shapes_compress(small: None, method: str) -> None:
    compressor = compressors.load(method, "shape:small-causal", device="cpu")
    [result] = compressor.compress([Job(text=TEXT, question="What does it cost?", word_labels=True)])
    assert result.compressed_tokens <= math.ceil(result.original_tokens / 2)
    assert len({word.probability for word in result.words}) > 5


def test_a_folder_gives_another_tokenizer(small: None, tiny_folder: Callable[[str], Path]) -> None:
    folder = tiny_folder("modernbert")
    checkpoint = load_checkpoint(f"shape:small-encoder@{folder}", "classifier", device="cpu")
    assert len(checkpoint.tokenizer) < 300
    assert checkpoint.tokenizer.model_max_length == 512
    plain = compressors.load("llmlingua2", "shape:small-encoder", device="cpu")
    other = compressors.load("llmlingua2", f"shape:small-encoder@{folder}", device="cpu")
    assert plain.fingerprint != other.fingerprint


def test_the_byte_level_tokenizer_gives_a_text_back(small: None) -> None:
    tokenizer = load_checkpoint("shape:small-causal@bytes", "causal", device="cpu").tokenizer
    text = "What did the committee agree?\n\nNobody  knows: 3,450 naïve 日本語 bridges."
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids[1:]) == text
    assert ids[0] == tokenizer.bos_token_id
    assert len(tokenizer.tokenize("The committee of the old town agreed.")) == 8


def test_a_tokenizer_that_is_larger_than_the_shape_is_refused(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, kind, values = SHAPES["small-causal"]
    monkeypatch.setitem(SHAPES, "small-causal", (task, kind, {**values, "vocab_size": 100}))
    with pytest.raises(CompressionError, match="30522 entries, the shape only 100"):
        load_checkpoint("shape:small-causal", "causal", device="cpu")


@pytest.mark.parametrize(
    ("method", "model", "reason"),
    [
        ("llmlingua2", "shape:mbart", "unknown shape 'shape:mbart'; known are shape:xlm-roberta-large"),
        ("llmlingua", "shape:mbert", "is no causal model; such shapes are shape:gpt2"),
        ("llmlingua2", "shape:gpt2", "is no classifier model; such shapes are shape:xlm-roberta-large"),
        ("llmlingua2", "shape:mbert@/no/such/folder", "can't load model 'shape:mbert@/no/such/folder'"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused(method: str, model: str, reason: str) -> None:
    with pytest.raises(CompressionError, match=reason):
        compressors.load(method, model, device="cpu")


def test_shapes_are_told_apart_by_name() -> None:
    assert len({compressors.fingerprint("llmlingua2", f"shape:{name}") for name in SHAPES}) == len(SHAPES)
