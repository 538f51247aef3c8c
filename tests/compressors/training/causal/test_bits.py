"""What bits per byte are made of."""

from __future__ import annotations

import gzip
import math
from typing import Any

import numpy as np
import pytest
import torch

from compressors.training.causal.bits import Sample, surprise
from compressors.training.causal.corpus import Document
from compressors.training.causal.start import Start
from compressors.training.causal.texts import tokenize

START = np.array([101])


def test_surprise_is_that_of_each_window_after_the_first_token(start: Start) -> None:
    model = start.model.train(False)
    ids = np.arange(1000, 1100, dtype=np.int32)
    expected = 0.0
    for begin in range(0, 100, 16):
        window = torch.tensor([101, *ids[begin : begin + 16].tolist()])[None]
        logits = model(window[:, :-1]).logits[0].detach()
        expected += float(torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum"))
    assert surprise(model, ids, start=START, length=16) == pytest.approx(expected, rel=1e-5)


def test_bytes_are_those_of_the_decoded_text(start: Start, tokenizer: Any) -> None:
    documents = [Document("The CAT   sees the Dog!", origin=str(i)) for i in range(80)]
    split = tokenize(documents, tokenizer)
    sample = Sample.of(split, tokenizer, tokens=1000)
    text = b"the cat sees the dog! the cat sees the dog!"
    assert sample.bytes == len(text)
    assert sample.gzip == 8 * len(gzip.compress(text, 9)) / len(text)
    counts = {"the": 157, "other": 79}
    total = 7 * 78 + len(tokenizer)
    nats = 2 * (2 * math.log(total / counts["the"]) + 5 * math.log(total / counts["other"]))
    assert sample.unigram == pytest.approx(nats / math.log(2) / len(text))
    nats = surprise(start.model, split.held_out.ids, start=START, length=16)
    figures = sample.figures(start.model, start=START, length=16)
    assert figures["bits_per_byte"] == pytest.approx(nats / math.log(2) / len(text))
