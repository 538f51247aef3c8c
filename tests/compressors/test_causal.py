"""Surprise beside transformers' own logits, for all families: batches, prefixes, streams, memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from compressors.causal import Causal, Continuation
from compressors.costs import costs_of
from compressors.errors import CompressionError
from compressors.head import Head
from compressors.shapes import config_of
from tests.fakes.causal import CONFIGS, WINDOW, model

VOCABULARY = 300
KINDS = pytest.mark.parametrize("kind", sorted(CONFIGS))
RANDOM = np.random.default_rng(0)


def ids(length: int) -> Any:
    return RANDOM.integers(5, VOCABULARY, length)


def continuation(prefix: Any, tokens: Any) -> Continuation:
    """All of whose tokens are judged."""
    return Continuation(prefix, tokens, judged=(0, len(tokens)))


def expected(network: Any, sequence: Continuation) -> Any:
    whole = torch.from_numpy(np.concatenate((sequence.prefix, sequence.ids)))[None]
    logits = network(input_ids=whole).logits.float().log_softmax(-1)
    surprise = -logits[0, :-1].gather(-1, whole[0, 1:, None])[:, 0]
    return surprise[len(sequence.prefix) - 1 :].numpy()


@KINDS
@pytest.mark.parametrize("batch_tokens", [32, 400])
def test_surprise_is_the_models(kind: str, batch_tokens: int) -> None:
    network = model(kind, VOCABULARY)
    causal = Causal(network, window=WINDOW, batch_tokens=batch_tokens)
    shared, short = ids(20), ids(2)
    sequences = [continuation(shared, ids(n)) for n in (30, 1, 7, 50)]
    sequences += [continuation(short, ids(n)) for n in (12, 40)]
    found = causal.surprisals(causal.read(sequences), [sequence.ids for sequence in sequences])
    for sequence, surprise in zip(sequences, found, strict=True):
        assert surprise == pytest.approx(expected(network, sequence), abs=1e-3)


@KINDS
def test_the_last_layer_is_computed_for_what_is_judged(kind: str) -> None:
    network = model(kind, VOCABULARY)
    causal = Causal(network, window=WINDOW, batch_tokens=400)
    seen: list[int] = []
    layers: Any = next(part for part in network.base_model.modules() if isinstance(part, torch.nn.ModuleList))
    block = layers[-1].output if kind == "bert" else layers[-1].mlp
    block.register_forward_hook(lambda _, given, __: seen.append(given[0].shape[1]))
    sequence = Continuation(ids(3), ids(60), judged=(50, 60))
    [known] = causal.forward([sequence])
    [states] = causal.read([sequence])
    assert seen == [11, 11]
    whole = expected(network, sequence)[50:]
    assert known.surprisals == pytest.approx(whole, abs=1e-3)
    assert causal.surprisals([states], [sequence.ids[50:]])[0] == pytest.approx(whole, abs=1e-3)


def test_a_shared_prefix_is_read_once() -> None:
    causal = Causal(model("llama", VOCABULARY), window=WINDOW, batch_tokens=400)
    prefix = ids(20)
    causal.read([continuation(prefix, ids(10)) for _ in range(5)])
    assert causal.forwarded_tokens == 19 + 5 * (1 + 10)  # the last of the prefix tells what follows it


@KINDS
def test_a_stream_can_be_taken_back(kind: str) -> None:
    network = model(kind, VOCABULARY)
    causal = Causal(network, window=WINDOW, batch_tokens=400)
    first, wrong, right = ids(30), ids(25), ids(40)
    stream = causal.stream()
    assert len(stream.read(first)) == 29
    assert len(stream.read(wrong)) == 25
    stream.rewind(30)
    assert stream.length == 30
    states = stream.read(right)
    [surprise] = causal.surprisals([states], [right[1:]])
    assert surprise == pytest.approx(expected(network, Continuation(first, right))[1:], abs=1e-3)


def test_a_past_grows_in_place() -> None:
    causal = Causal(model("gpt2", VOCABULARY), window=WINDOW, batch_tokens=400)
    stream = causal.stream()
    buffers = set()
    for _ in range(WINDOW // 8):
        stream.read(ids(8))
        buffers.add(stream._past.layers[0].keys.data_ptr())
    assert stream.length == WINDOW
    assert len(buffers) == 1


def test_neighbours_change_nothing_but_noise() -> None:
    causal = Causal(model("qwen2", VOCABULARY), window=WINDOW, batch_tokens=2000)
    sequences = [continuation(ids(1), ids(n)) for n in (5, 200, 90, 33)]
    together = causal.surprisals(causal.read(sequences), [s.ids for s in sequences])
    for sequence, surprise in zip(sequences, together, strict=True):
        [alone] = causal.surprisals(causal.read([sequence]), [sequence.ids])
        assert surprise == pytest.approx(alone, abs=1e-4)


def test_nothing_asked_is_nothing_read() -> None:
    causal = Causal(model("llama", VOCABULARY), window=WINDOW, batch_tokens=400)
    assert causal.read([]) == []
    assert causal.surprisals([], []) == []


def test_logits_are_held_for_a_few_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compressors.head._LOGIT_BYTES", {"cpu": 10 * VOCABULARY * 4})
    network = model("llama", VOCABULARY)
    head = Head(network)
    rows: list[int] = []
    network.lm_head.register_forward_hook(lambda _, inputs, __: rows.append(inputs[0].shape[0]))
    found = head.surprisals(torch.randn(95, 32), torch.from_numpy(ids(95)))
    assert found.shape == (95,)
    assert rows == [10] * 9 + [5]


def test_a_model_whose_logits_are_made_otherwise_is_refused() -> None:
    class Odd(type(model("llama", VOCABULARY))):  # type: ignore[misc]
        def forward(self, *args: Any, **options: Any) -> Any:
            output = super().forward(*args, **options)
            output.logits = output.logits * torch.linspace(0.5, 2, output.logits.shape[-1])
            return output

    network = model("llama", VOCABULARY)
    network.__class__ = Odd
    with pytest.raises(CompressionError, match="logits"):
        Head(network)


def test_a_pass_costs_fewer_tokens_of_a_larger_model() -> None:
    def shaped(name: str) -> Any:
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config_of(f"shape:{name}"))  # type: ignore[no-untyped-call]

    sizes = [costs_of(shaped(name)).pass_tokens for name in ("llama-2-7b", "qwen2.5-0.5b", "gpt2")]
    assert sizes == sorted(sizes)
    assert 128 <= sizes[0] < 512
    assert sizes[-1] > 4096
    assert costs_of(model("llama", VOCABULARY)).pass_tokens < 128
