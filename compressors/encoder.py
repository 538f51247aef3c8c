"""Keep probabilities from a token classifier, in batches without waste.

Owns batching and the forward pass. Knows token ids, but no text and no words.
B: sequences in a batch, L: tokens of its longest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from compressors.batches import batches
from compressors.reading import TokenIds

Probabilities = npt.NDArray[np.float32]

KEEP = 1
"""The label that means "keep", as LLMLingua-2's checkpoints have it."""


class Encoder:
    """Runs a two-label token classifier.

    `batch_tokens` bounds the tokens of one forward pass, padding included; a longer sequence goes alone.
    """

    def __init__(self, model: torch.nn.Module, pad_id: int, batch_tokens: int) -> None:
        self._model = model.eval()
        self._device = next(model.parameters()).device
        self._pad_id = pad_id
        self._batch_tokens = batch_tokens

    def keep_probabilities(self, sequences: Sequence[TokenIds]) -> list[Probabilities]:
        """For each sequence of token ids, special tokens included, how likely each token stays.

        Gives one `(L,)` float32 array in [0, 1] per sequence, in the order of `sequences`.
        """
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
