"""Keep probabilities from a token classifier, in batches without waste.

Owns batching and the way of ids and results to and from a device. Knows token ids, but no text and no words.
B: sequences in a batch, L: tokens of its longest, N: tokens of all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from compressors.attention import Lengths, is_packed
from compressors.batches import batches, fills
from compressors.bert import Bert, is_known
from compressors.errors import CompressionError
from compressors.graphs import Graphs
from compressors.linear import fastest, quantised
from compressors.reading import TokenIds

_log = logging.getLogger("laconic.encoder")
Probabilities = npt.NDArray[np.float32]

KEEP = 1
"""The label that means "keep", as LLMLingua-2's checkpoints have it."""


class Encoder(Protocol):
    """Runs a two-label token classifier."""

    def keep_probabilities(self, sequences: Sequence[TokenIds]) -> list[Probabilities]:
        """For each sequence of token ids, special tokens included, how likely each token stays.

        Gives one `(L,)` float32 array in [0, 1] per sequence, in the order of `sequences`.
        """


def encoder(model: Any, pad_id: int, batch_tokens: int, *, eight_bits: bool = False) -> Encoder:
    """The fastest way to run `model` where it is; with `eight_bits`, its linear layers in that many.

    `batch_tokens` bounds the tokens of one forward pass; a longer sequence goes alone. Raises `CompressionError` if
    8 bits are asked for where there is no way to run the model with them.
    """
    known = is_known(model) and is_packed(model.device, model.dtype)
    if eight_bits and not (known and model.device.type == "cpu" and model.dtype == torch.float32):
        raise CompressionError(
            f"int8 is for BERT-like token classifiers on a CPU, not for {type(model).__name__} here"
        )
    if known:
        return PackedEncoder(model, batch_tokens, eight_bits=eight_bits)
    return PaddedEncoder(model, pad_id, batch_tokens)


def laid_out(sequences: Sequence[TokenIds]) -> npt.NDArray[np.int64]:
    """Sequences one after another: ids, and the position of each in its sequence; `(2, N)`."""
    return np.stack((np.concatenate(sequences), np.concatenate([np.arange(len(ids)) for ids in sequences])))


class PackedEncoder:
    """Sequences one after another in a flat row; for models that `Bert` knows."""

    def __init__(self, model: Any, batch_tokens: int, *, eight_bits: bool) -> None:
        sample = model.base_model.encoder.layer[0].intermediate.dense
        self._bert = Bert(model, quantised if eight_bits else fastest(sample.weight, sample.bias))
        self._device = model.device
        self._batch_tokens = batch_tokens
        self._graphs: Graphs | None = None
        if self._device.type == "cuda":
            longest = len(self._bert.positions)
            try:
                self._graphs = Graphs(self._bert.logits, self._device, longest, batch_tokens)
            except RuntimeError as error:
                _log.warning("no CUDA graphs on %s, small batches will be slower: %s", self._device, error)

    def keep_probabilities(self, sequences: Sequence[TokenIds]) -> list[Probabilities]:
        """See `Encoder`."""
        results: list[Probabilities] = []
        for low, high in fills([len(sequence) for sequence in sequences], self._batch_tokens):
            results += self._forward(sequences[low:high])
        return results

    @torch.inference_mode()
    def _forward(self, sequences: Sequence[TokenIds]) -> list[Probabilities]:
        lengths = [len(sequence) for sequence in sequences]
        row = laid_out(sequences)
        if self._graphs is not None:
            logits = self._graphs(row, lengths)
        else:
            ids, positions = torch.from_numpy(row).to(self._device)  # (N,) int64 each
            logits = self._bert.logits(ids, positions, Lengths.of(lengths, self._device))
        flat: Probabilities = logits.float().softmax(-1)[:, KEEP].cpu().numpy()  # (N,)
        if not np.isfinite(flat).all():
            raise CompressionError(
                f"the model overflows in {logits.dtype}; another dtype may hold its numbers"
            )
        return np.split(flat, np.cumsum(lengths)[:-1])


class PaddedEncoder:
    """Rows of similar length, padded to the longest; for every architecture of transformers."""

    def __init__(self, model: Any, pad_id: int, batch_tokens: int) -> None:
        self._model = model.eval()
        self._device = next(model.parameters()).device
        self._pad_id = pad_id
        self._batch_tokens = batch_tokens

    def keep_probabilities(self, sequences: Sequence[TokenIds]) -> list[Probabilities]:
        """See `Encoder`; padding counts as tokens."""
        results: list[Probabilities] = [np.zeros(0, dtype=np.float32)] * len(sequences)
        for batch in batches([len(sequence) for sequence in sequences], self._batch_tokens):
            rows = self._forward([sequences[i] for i in batch])
            for i, row in zip(batch, rows, strict=True):
                results[i] = row[: len(sequences[i])]
        return results

    @torch.inference_mode()
    def _forward(self, sequences: list[TokenIds]) -> Probabilities:
        lengths = torch.tensor([len(sequence) for sequence in sequences])  # (B,) int64
        ids = torch.full((len(sequences), int(lengths.max())), self._pad_id)  # (B, L) int64
        for row, sequence in zip(ids, sequences, strict=True):
            row[: len(sequence)] = torch.from_numpy(sequence)
        mask = torch.arange(ids.shape[1]) < lengths[:, None]  # (B, L) bool
        logits = self._model(
            input_ids=ids.to(self._device), attention_mask=mask.long().to(self._device)
        ).logits  # (B, L, 2)
        probabilities: Probabilities = logits.float().softmax(-1)[..., KEEP].cpu().numpy()
        return probabilities
