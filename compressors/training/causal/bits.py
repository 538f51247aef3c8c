"""How well a causal model predicts: nats per token, and bits per byte beside a unigram model and gzip.

Tokenizers may drop cases and white space, so bytes are those of the text that tokens decode to, for all three.
Knows no training.

T: tokens of a sequence.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.causal import Causal, Continuation
from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.training.causal.texts import Split

_BATCH_TOKENS = {"cpu": 2048, "cuda": 16384}


@dataclass(frozen=True, slots=True)
class Sample:
    """Held-out text of one source, and what simpler models need for it."""

    ids: npt.NDArray[np.int32]
    """`(T,)` int32."""
    bytes: int
    unigram: float
    """Bits per byte, of tokens by how often they occur in the training part."""
    gzip: float
    """Bits per byte at level 9."""

    @classmethod
    def of(cls, split: Split, tokenizer: Any, tokens: int) -> Sample:
        """The first `tokens` tokens of what is held out; raises `CompressionError` if they are no text."""
        ids = split.held_out.ids[:tokens]
        text = tokenizer.decode(ids.tolist(), skip_special_tokens=True).encode()
        if not text:
            raise CompressionError("what is held out has no text")
        return cls(
            ids=ids,
            bytes=len(text),
            unigram=_unigram(split.training.ids, ids, len(tokenizer)) / math.log(2.0) / len(text),
            gzip=8.0 * len(gzip.compress(text, 9)) / len(text),
        )

    def figures(self, model: Any, *, start: TokenIds, length: int) -> dict[str, float]:
        """`bits_per_byte` of `model` in windows of `length` tokens, each after `start`; beside it the others."""
        nats = surprise(model, self.ids, start=start, length=length)
        return {
            "bits_per_byte": nats / math.log(2.0) / self.bytes,
            "unigram": self.unigram,
            "gzip": self.gzip,
            "bytes": float(self.bytes),
        }


def surprise(model: Any, ids: npt.NDArray[np.int32], *, start: TokenIds, length: int) -> float:
    """Sum of −log p in nats of all `ids`, cut into windows of `length` that each begin after `start`."""
    windows = [ids[i : i + length].astype(np.int64) for i in range(0, len(ids), length)]
    return sum(surprises(model, [Continuation(start, part, judged=(0, len(part))) for part in windows]))


def surprises(model: Any, sequences: Sequence[Continuation]) -> Iterator[float]:
    """Sum of −log p in nats of what is judged of each sequence; leaves the model evaluating."""
    device = model.device.type
    most = max(map(len, sequences), default=1)
    causal = Causal(model.eval(), window=most, batch_tokens=_BATCH_TOKENS.get(device, _BATCH_TOKENS["cpu"]))
    for known in causal.forward(sequences):
        yield float(known.surprisals.sum(dtype=np.float64))


def _unigram(training: npt.NDArray[np.int32], ids: npt.NDArray[np.int32], vocabulary: int) -> float:
    counts = np.bincount(training, minlength=vocabulary) + 1.0
    return float(-np.log(counts / counts.sum())[ids].sum())
