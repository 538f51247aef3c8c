"""What bits per byte are made of."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compressors.training.causal.bits import measure, surprise
from compressors.training.causal.corpus import Document
from compressors.training.causal.start import load_start
from compressors.training.causal.windows import tokenize


@pytest.fixture(scope="module")
def model(encoder: Path, tokenizer: Any) -> Any:
    return load_start(encoder, tokenizer, np.arange(len(tokenizer), dtype=np.float64)).train(False)


def test_surprise_is_that_of_each_window_after_the_first_token(model: Any) -> None:
    ids = np.arange(1000, 1100, dtype=np.int32)
    expected = 0.0
    for start in range(0, 100, 16):
        window = torch.tensor([101, *ids[start : start + 16].tolist()])[None]
        logits = model(window[:, :-1]).logits[0].detach()
        expected += float(torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum"))
    assert surprise(model, ids, first=101, length=16) == pytest.approx(expected, rel=1e-5)


def test_bytes_are_those_of_the_decoded_text(model: Any, tokenizer: Any) -> None:
    documents = [Document(["The CAT   sees the Dog!"], origin=str(i)) for i in range(80)]
    split = tokenize(documents, tokenizer)
    bits = measure("cats", split, model, tokenizer, tokens=1000, length=16)
    text = b"the cat sees the dog! the cat sees the dog!"
    assert (bits.domain, bits.bytes) == ("cats", len(text))
    assert bits.gzip == 8 * len(gzip.compress(text, 9)) / len(text)
    counts = {"the": 157, "other": 79}
    total = 7 * 78 + len(tokenizer)
    nats = 2 * (2 * math.log(total / counts["the"]) + 5 * math.log(total / counts["other"]))
    assert bits.unigram == pytest.approx(nats / math.log(2) / len(text))
    nats = surprise(model, split.held_out.ids, first=101, length=16)
    assert bits.model == pytest.approx(nats / math.log(2) / len(text))
