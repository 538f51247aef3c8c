"""What only a GPU can show of the causal methods; skipped where there is none."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from compressors.causal import Causal
from compressors.units import Continuation, Judgement, Line, Piece
from tests.fakes.causal import WINDOW, model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
RANDOM = np.random.default_rng(0)


def ids(length: int) -> Any:
    return RANDOM.integers(5, 300, length)


def units() -> list[Any]:
    """All kinds but judgements, with prefixes that are shared and such that aren't."""
    shared = ids(90)
    made: list[Any] = [Continuation(shared, ids(n), judged=(0, n), siblings=9) for n in (40, 60, 60)]
    made += [Continuation(ids(1), ids(n), judged=(n - 5, n), held=(0, n - 5)) for n in (30, 100, 170)]
    return [*made, Piece(Line(), 0, ids(50), 40)]


def test_the_host_waits_for_the_device_once() -> None:
    causal = Causal(model("llama", 300).to("cuda"), window=WINDOW, batch_tokens=400)
    found = causal.forward(units())
    again = [*units(), *(Judgement(known.held) for known in found if known.held is not None)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            causal.forward(again)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert len([entry for entry in told if "called a synchronizing" in str(entry.message)]) == 1


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2", "mistral"])
def test_surprise_is_the_same_as_on_the_processor(kind: str) -> None:
    network = model(kind, 300)
    asked = units()
    expected = Causal(network, window=WINDOW, batch_tokens=400).forward(asked)
    for unit in asked:
        if isinstance(unit, Piece):
            unit.line.past = None
    found = Causal(network.to("cuda"), window=WINDOW, batch_tokens=400).forward(asked)
    for one, other in zip(expected, found, strict=True):
        assert other.surprisals == pytest.approx(one.surprisals, abs=1e-2)


def test_prefixes_are_shared_only_where_a_pass_costs_less() -> None:
    causal = Causal(model("llama", 300).to("cuda"), window=WINDOW, batch_tokens=4000)
    causal._costs = causal._costs._replace(pass_tokens=512)
    few, many = ids(20), ids(200)
    causal.forward([Continuation(few, ids(30), judged=(0, 30)) for _ in range(5)])
    assert causal.forwarded_tokens == 5 * (20 + 30)
    causal.forward([Continuation(many, ids(30), judged=(0, 30)) for _ in range(5)])
    assert causal.forwarded_tokens == 5 * (20 + 30) + 199 + 5 * (1 + 30)
