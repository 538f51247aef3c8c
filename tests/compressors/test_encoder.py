from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification

from compressors.encoder import PackedEncoder, PaddedEncoder, encoder
from compressors.errors import CompressionError


class Watched(torch.nn.Module):
    """Notes the shapes of what a model is given."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        self.shapes.append(tuple(input_ids.shape))
        return self.model(input_ids=input_ids, attention_mask=attention_mask)


@pytest.fixture
def model(tiny_folder: Callable[[str], Path]) -> Watched:
    return Watched(AutoModelForTokenClassification.from_pretrained(tiny_folder("xlm-roberta")))


def sequences(lengths: list[int]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    draw = np.random.default_rng(0)
    return [draw.integers(5, 100, length) for length in lengths]


@pytest.mark.parametrize("kind", ["xlm-roberta", "bert"])
@pytest.mark.parametrize("worthwhile", [0.0, float("inf")], ids=["oneDNN", "torch"])
def test_packed_sequences_get_what_the_model_gives_each(
    kind: str, worthwhile: float, tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compressors.linear._WORTHWHILE", worthwhile)
    network = AutoModelForTokenClassification.from_pretrained(tiny_folder(kind)).eval()
    rows = sequences([3, 200, 7, 64, 64, 1, 33])
    packed = encoder(network, 1, 128)
    assert isinstance(packed, PackedEncoder)
    for row, probabilities in zip(rows, packed.keep_probabilities(rows), strict=True):
        with torch.inference_mode():
            alone = network(input_ids=torch.from_numpy(row)[None]).logits.softmax(-1)[0, :, 1]
        assert probabilities.shape == row.shape
        np.testing.assert_allclose(probabilities, alone.numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["distilbert", "modernbert"])
def test_other_architectures_are_padded_and_have_no_8_bits(
    kind: str, tiny_folder: Callable[[str], Path]
) -> None:
    network = AutoModelForTokenClassification.from_pretrained(tiny_folder(kind))
    assert isinstance(encoder(network, 1, 1000), PaddedEncoder)
    with pytest.raises(CompressionError, match=f"not for {type(network).__name__}"):
        encoder(network, 1, 1000, eight_bits=True)


def test_8_bits_stay_near_and_do_not_depend_on_neighbours(tiny_folder: Callable[[str], Path]) -> None:
    network = AutoModelForTokenClassification.from_pretrained(tiny_folder("bert"))
    rows = sequences([90, 3, 200, 41])
    exact = encoder(network, 1, 1000).keep_probabilities(rows)
    rough = encoder(network, 1, 1000, eight_bits=True)
    together = rough.keep_probabilities(rows)
    for row, expected, found in zip(rows, exact, together, strict=True):
        np.testing.assert_allclose(found, expected, atol=0.05)
        np.testing.assert_allclose(found, rough.keep_probabilities([row])[0], atol=1e-5)
    assert any(np.abs(a - b).max() > 1e-6 for a, b in zip(exact, together, strict=True))


def test_each_sequence_gets_what_it_would_get_alone(model: Watched) -> None:
    rows = sequences([3, 200, 7, 64, 64, 1, 33])
    together = PaddedEncoder(model, pad_id=1, batch_tokens=10_000).keep_probabilities(rows)
    for row, probabilities in zip(rows, together, strict=True):
        with torch.inference_mode():
            alone = model.model(input_ids=torch.from_numpy(row)[None]).logits.softmax(-1)[0, :, 1]
        assert probabilities.shape == row.shape
        np.testing.assert_allclose(probabilities, alone.numpy(), atol=1e-5)


def test_batches_keep_to_the_budget_and_pad_little(model: Watched) -> None:
    lengths = [500, 10, 12, 480, 11, 300, 9] * 3
    PaddedEncoder(model, pad_id=1, batch_tokens=1000).keep_probabilities(sequences(lengths))
    assert all(rows * longest <= 1000 for rows, longest in model.shapes)
    assert sum(rows for rows, _ in model.shapes) == len(lengths)
    assert sum(rows * longest for rows, longest in model.shapes) <= 1.1 * sum(lengths)


def test_nothing_to_do(model: Watched) -> None:
    assert PaddedEncoder(model, pad_id=1, batch_tokens=1000).keep_probabilities([]) == []
    assert model.shapes == []
