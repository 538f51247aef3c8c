"""Pairs as material: answers are learned, prompts are only read.

The distribution alignment of LLMLingua (Jiang et al. 2023): a small model that is tuned to write what the upstream
writes is surprised by what surprises the upstream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compressors.batches import batches
from compressors.causal import Continuation
from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.training import holding_out, shares
from compressors.training.causal.bits import surprises
from compressors.training.causal.loss import IGNORED, Batch, Loss, full_loss
from compressors.training.causal.pairs import encode, read
from compressors.training.causal.recipe import Pairs
from compressors.training.causal.start import Start
from compressors.training.record import Data, digest
from compressors.training.report import Figures

_HELD_OUT_TOKENS = 20_000
"""Of each source's answers, in each validation."""
_AT_ONCE = {"cpu": 1024, "cuda": 8192}
"""Tokens of one forward and backward pass, padding included."""


def name_of(path: Path) -> str:
    """What a file's figures are called by."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


class Window:
    """What is read at a time, and from where on it is learned."""

    __slots__ = ("ids", "learned")

    def __init__(self, ids: TokenIds, learned: int) -> None:
        self.ids = ids
        """Without what stands before every sequence; `(L,)` int64."""
        self.learned = learned
        """The first token of the answer, or of the part of it that is this window's."""


def windows(prompt: TokenIds, answer: TokenIds, length: int) -> Iterator[Window]:
    """Windows of at most `length` tokens that together learn every token of `answer` once.

    What is too long loses the beginning of its prompt. An answer that is longer than half a window is learned in
    several, each at least half filled with what stands before.
    """
    ids = np.concatenate((prompt, answer))
    learned = len(prompt)
    while learned < len(ids):
        end = len(ids) if len(ids) <= length else min(len(ids), learned + max(length // 2, 1))
        begin = max(0, end - length)
        yield Window(ids[begin:end], learned - begin)
        learned = end


class Alignment:
    """The pairs of all files. Raises `CompressionError` for those that can't be used."""

    measure = "nats_per_token"

    def __init__(self, pairs: Pairs, start: Start, *, seed: int, preparing: Callable[[str], None]) -> None:
        """`preparing` hears which file is read."""
        given = [share for _, share in pairs.data]
        names = [name_of(path) for path, _ in pairs.data]
        shares.check(names, given)
        self._first = start.first
        self._length = min(pairs.length or start.window, start.window) - len(start.first)
        self._batch_tokens = pairs.batch_tokens
        self._seed = seed
        self._at_once = _AT_ONCE["cpu"]
        self._training: list[list[Window]] = []
        self._held_out: dict[str, list[Window]] = {}
        counts = []
        for name, (path, _) in zip(names, pairs.data, strict=True):
            preparing(path.name)
            parts, count = self._load(path, start)
            self._training.append(parts[0])
            self._held_out[name] = parts[1]
            counts.append(count)
        sizes = [sum(len(window.ids) - window.learned for window in some) for some in self._training]
        filled = shares.fill(given, sizes)
        odds = [
            share * len(some) / size for share, some, size in zip(filled, self._training, sizes, strict=True)
        ]
        self._odds = np.array(odds) / sum(odds)  # of a window, where shares are of tokens
        self.data = [
            Data(
                name=name,
                path=str(path),
                sha256=digest(path),
                share=share,
                rows=rows,
                held_out_rows=held_out,
                tokens=size,
            )
            for name, (path, _), share, size, (rows, held_out) in zip(
                names, pairs.data, filled, sizes, counts, strict=True
            )
        ]

    def _load(self, path: Path, start: Start) -> tuple[tuple[list[Window], list[Window]], tuple[int, int]]:
        found = list(read(path))
        held_out = holding_out.choose({pair.group for pair in found})
        parts: tuple[list[Window], list[Window]] = ([], [])
        for pair in found:
            ids = encode(pair, start.tokenizer, start.first)
            parts[pair.group in held_out].extend(windows(*ids, self._length))
        if not all(parts):
            raise CompressionError(
                f"{path}: some pairs have to be held out, so two different prompts are needed"
            )
        return parts, (len(found), sum(pair.group in held_out for pair in found))

    def loss(self, model: Any) -> Loss:
        """See `Material`."""
        self._at_once = _AT_ONCE.get(model.device.type, _AT_ONCE["cpu"])
        return full_loss

    def batches(self, step: int, progress: float) -> list[Batch]:
        """See `Material`."""
        chance = np.random.default_rng((self._seed, step))
        drawn: list[Window] = []
        while sum(len(window.ids) for window in drawn) < self._batch_tokens:
            source = self._training[chance.choice(len(self._training), p=self._odds)]
            drawn.append(source[chance.integers(len(source))])
        return [
            self._batch([drawn[i] for i in part])
            for part in batches([*map(self._size, drawn)], self._at_once)
        ]

    def _size(self, window: Window) -> int:
        return len(self._first) + len(window.ids)

    def _batch(self, some: list[Window]) -> Batch:
        before, width = len(self._first), max(map(self._size, some))
        ids = np.zeros(
            (len(some), width), np.int64
        )  # padded with any token: what is read before it is not changed
        targets = np.full((len(some), width), IGNORED, np.int64)
        for row, target, window in zip(ids, targets, some, strict=True):
            end = before + len(window.ids)
            row[:end] = np.concatenate((self._first, window.ids))
            target[before + window.learned : end] = window.ids[window.learned :]
        return Batch(torch.from_numpy(ids[:, :-1].copy()), torch.from_numpy(targets[:, 1:].copy()))

    def figures(self, model: Any) -> Figures:
        """See `Material`."""
        return {name: self._fit(model, some) for name, some in self._held_out.items()}

    def _fit(self, model: Any, some: list[Window]) -> dict[str, float]:
        asked: list[Continuation] = []
        tokens = 0
        for window in some:
            if tokens < _HELD_OUT_TOKENS:
                asked.append(Continuation(self._first, window.ids, judged=(window.learned, len(window.ids))))
                tokens += len(window.ids) - window.learned
        nats = sum(surprises(model, asked)) / tokens
        return {
            "nats_per_token": nats,
            "perplexity": float(np.exp(min(nats, 100.0))),
            "tokens": float(tokens),
        }
