"""What a classifier is trained for: the labels of words, whatever share of its words a source keeps.

Knows batches of examples and a model's log odds; no files and no steps.
B: sequences, L: tokens of the longest, S: sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from compressors.encoder import KEEP
from compressors.training.classifier.mixture import Draw


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded to the longest; padding isn't attended to and counts nothing."""

    ids: torch.Tensor
    """`(B, L)` int64."""
    mask: torch.Tensor
    """Where there are tokens; `(B, L)` int64."""
    targets: torch.Tensor
    """`(B, L)` float32."""
    weights: torch.Tensor
    """`(B, L)` float32."""
    sources: torch.Tensor
    """`(B,)` int64."""

    @classmethod
    def of(cls, draws: Sequence[Draw], pad_id: int, device: torch.device) -> Batch:
        """The batch of some examples, on `device`."""
        examples = [example for _, example in draws]

        def padded(rows: list[npt.NDArray[Any]], value: float) -> torch.Tensor:
            full = np.full((len(rows), max(map(len, rows))), value, rows[0].dtype)
            for row, part in zip(full, rows, strict=True):
                row[: len(part)] = part
            return torch.from_numpy(full).to(device)

        return cls(
            ids=padded([example.ids for example in examples], pad_id),
            mask=padded([np.ones_like(example.ids) for example in examples], 0),
            targets=padded([example.targets for example in examples], 0.0),
            weights=padded([example.weights for example in examples], 0.0),
            sources=torch.tensor([source for source, _ in draws], device=device),
        )


class Objective(torch.nn.Module):
    """Cross entropy against soft labels and teachers, in nats, each word weighing the same.

    Sources keep different shares of their words, which says more about them than about words. So a number of each
    source is added to the log odds of keeping: learned with the model, but no part of it. `rates`, `(S,)`, are the
    sources' mean labels, whose log odds the numbers begin with; None leaves them out. `smoothing` moves labels so
    far towards 1/2. `taught` is what teachers count, where there are some, 0 to 1; labels count the rest.
    """

    def __init__(self, rates: Sequence[float] | None, smoothing: float, taught: float = 0.0) -> None:
        super().__init__()
        self.offsets = None
        if rates is not None:
            self.offsets = torch.nn.Parameter(torch.logit(torch.tensor(rates), eps=1e-3))  # (S,)
        self._smoothing = smoothing
        self._taught = taught

    def forward(self, odds: torch.Tensor, batch: Batch, known: torch.Tensor | None = None) -> torch.Tensor:
        """The sum over the words of a batch, from the model's log odds and the teachers', both `(B, L)` float32."""
        targets = batch.targets.lerp(torch.full_like(batch.targets, 0.5), self._smoothing)
        shifted = odds if self.offsets is None else odds + self.offsets[batch.sources][:, None]
        labelled = _cross_entropy(shifted, targets, batch)
        if known is None:
            return labelled
        return torch.lerp(labelled, _cross_entropy(odds, known.sigmoid(), batch), self._taught)


def log_odds(model: Any, batch: Batch) -> torch.Tensor:
    """Of keeping each token; `(B, L)` float32."""
    logits = model(input_ids=batch.ids, attention_mask=batch.mask).logits.float()  # (B, L, 2)
    odds: torch.Tensor = logits[..., KEEP] - logits[..., 1 - KEEP]
    return odds


def _cross_entropy(odds: torch.Tensor, targets: torch.Tensor, batch: Batch) -> torch.Tensor:
    return binary_cross_entropy_with_logits(odds, targets, weight=batch.weights, reduction="sum")
