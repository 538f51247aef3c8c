"""Texts as material: windows of several sources by their shares, and bits per byte of what is held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compressors.errors import CompressionError
from compressors.training import shares
from compressors.training.causal.bits import Sample
from compressors.training.causal.corpus import ending
from compressors.training.causal.loss import IGNORED, Batch, Loss, choose_loss
from compressors.training.causal.mixture import Mixture
from compressors.training.causal.recipe import Texts
from compressors.training.causal.start import Start
from compressors.training.causal.texts import Split, load_split
from compressors.training.memory import tokens_at_once
from compressors.training.record import Data, digest
from compressors.training.report import Figures

_HELD_OUT_TOKENS = 6144
"""Of each source, in each validation."""
_AT_ONCE = 4096
"""Tokens of one forward and backward pass on a CPU."""


def name_of(path: Path) -> str:
    """What a file's figures are called by: its name without what says how it is read."""
    return path.name.removesuffix(ending(path))


class Pretraining:
    """The texts of all files. Raises `CompressionError` for those that can't be used."""

    measure = "bits_per_byte"

    def __init__(
        self, texts: Texts, start: Start, *, seed: int, cache: Path, preparing: Callable[[str], None]
    ) -> None:
        """`cache` is a folder for their tokens; `preparing` hears which file is read."""
        given = [share for _, share in texts.data]
        names = [name_of(path) for path, _ in texts.data]
        shares.check(names, given)
        room = start.window - len(start.first)
        self._texts = texts
        self._start = start
        self._at_once = _AT_ONCE
        self._length, self._last_length = min(texts.length, room), min(texts.last_length, room)
        splits = []
        for path, _ in texts.data:
            preparing(path.name)
            splits.append(load_split(path, cache, start.tokenizer))
            _require(path, splits[-1], max(self._length, self._last_length))
        filled = shares.fill(given, [len(split.training.ids) for split in splits])
        self.data = [
            _data(name, path, split, share)
            for name, (path, _), split, share in zip(names, texts.data, splits, filled, strict=True)
        ]
        self._mixture = Mixture(
            [(split.training, share) for split, share in zip(splits, filled, strict=True)],
            start=start.first,
            seed=seed,
        )
        self._samples = {
            name: Sample.of(split, start.tokenizer, _HELD_OUT_TOKENS)
            for name, split in zip(names, splits, strict=True)
        }
        self.counts = _counts(splits, filled, start.model.config.vocab_size)
        """How often tokens are met, `(V,)`."""

    def loss(self, model: Any) -> Loss:
        """See `Material`."""
        self._at_once = tokens_at_once(model, on_cpu=_AT_ONCE, logits=True)
        return choose_loss(model, self._texts.candidates)

    def batches(self, step: int, progress: float) -> list[Batch]:
        """See `Material`."""
        is_end = progress >= 1.0 - self._texts.last
        length = self._last_length if is_end else self._length
        rows = max(1, self._texts.batch_tokens // length)
        windows = self._mixture.batch(step, rows=rows, length=length)  # (B, S + T)
        targets = windows[:, 1:].clone()
        targets[:, : len(self._start.first) - 1] = IGNORED
        parts = zip(
            *(torch.split(part, max(1, self._at_once // length)) for part in (windows[:, :-1], targets)),
            strict=True,
        )
        return [Batch(*part) for part in parts]

    def figures(self, model: Any) -> Figures:
        """See `Material`."""
        return {
            name: sample.figures(model, start=self._start.first, length=self._length)
            for name, sample in self._samples.items()
        }


def _require(path: Path, split: Split, length: int) -> None:
    if len(split.training.ids) < length:
        raise CompressionError(
            f"{path} has {len(split.training.ids)} tokens to train on; a window takes {length}"
        )


def _counts(splits: list[Split], filled: list[float], vocabulary: int) -> npt.NDArray[np.float64]:
    counts = np.zeros(vocabulary)
    for split, share in zip(splits, filled, strict=True):
        ids = split.training.ids
        counts += share * 1e6 * np.bincount(ids, minlength=vocabulary) / len(ids)
    return counts


def _data(name: str, path: Path, split: Split, share: float) -> Data:
    training, held_out = split.documents
    return Data(
        name=name,
        path=str(path),
        sha256=digest(path),
        share=share,
        rows=training + held_out,
        held_out_rows=held_out,
        tokens=len(split.training.ids),
    )
