"""Pairs as material: answers are learned, prompts are only read.

The distribution alignment of LLMLingua (Jiang et al. 2023): a small model that is tuned to write what the upstream
writes is surprised by what surprises the upstream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compressors.batches import batches
from compressors.causal import Continuation
from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.training import holding_out, lines, shares
from compressors.training.causal.bits import surprises
from compressors.training.causal.loss import IGNORED, Batch, Loss, full_loss
from compressors.training.causal.pairs import encode, read
from compressors.training.causal.recipe import Pairs
from compressors.training.causal.start import Start
from compressors.training.memory import tokens_at_once
from compressors.training.record import Data, digest
from compressors.training.report import Figures

_HELD_OUT_TOKENS = 20_000
"""Of each source's answers, in each validation."""
_AT_ONCE = 1024
"""Tokens of one forward and backward pass on a CPU, padding included."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is read at a time, and from where on it is learned."""

    ids: TokenIds
    """Without what stands before every sequence; `(L,)` int64."""
    learned: int
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


@dataclass(frozen=True, slots=True)
class Source:
    """The pairs of one file."""

    training: Sequence[Window]
    held_out: Sequence[Window]
    rows: int
    held_out_rows: int

    @property
    def tokens(self) -> int:
        """To learn."""
        return sum(len(window.ids) - window.learned for window in self.training)


def load(path: Path, tokenizer: Any, first: TokenIds, length: int) -> Source:
    """The pairs in `path`, in windows of at most `length` tokens behind `first`.

    Raises `CompressionError` for a bad row or if there are less than two documents.
    """
    found = list(read(path))
    held_out = holding_out.choose({pair.group for pair in found})
    parts: tuple[list[Window], list[Window]] = ([], [])
    for pair in found:
        parts[pair.group in held_out].extend(windows(*encode(pair, tokenizer, first), length))
    if not all(parts):
        raise CompressionError(f"{path}: some pairs have to be held out, so two different prompts are needed")
    return Source(*parts, rows=len(found), held_out_rows=sum(pair.group in held_out for pair in found))


def fit(model: Any, first: TokenIds, some: Sequence[Window]) -> dict[str, float]:
    """`nats_per_token` and `perplexity` of answers behind their prompts, of the first so many; and their `tokens`."""
    asked: list[Continuation] = []
    tokens = 0
    for window in some:
        if tokens < _HELD_OUT_TOKENS:
            asked.append(Continuation(first, window.ids, judged=(window.learned, len(window.ids))))
            tokens += len(window.ids) - window.learned
    nats = sum(surprises(model, asked)) / tokens
    return {"nats_per_token": nats, "perplexity": float(np.exp(min(nats, 100.0))), "tokens": float(tokens)}


class Alignment:
    """The pairs of all files. Raises `CompressionError` for those that can't be used."""

    measure = "nats_per_token"

    def __init__(self, pairs: Pairs, start: Start, *, seed: int, preparing: Callable[[str], None]) -> None:
        """`preparing` hears which file is read."""
        given = [share for _, share in pairs.data]
        names = [lines.name_of(path) for path, _ in pairs.data]
        shares.check(names, given)
        self._first = start.first
        self._batch_tokens = pairs.batch_tokens
        self._seed = seed
        self._at_once = _AT_ONCE
        length = min(pairs.length or start.window, start.window) - len(start.first)
        self._sources: dict[str, Source] = {}
        for name, (path, _) in zip(names, pairs.data, strict=True):
            preparing(path.name)
            self._sources[name] = load(path, start.tokenizer, start.first, length)
        sources = list(self._sources.values())
        filled = shares.fill(given, [source.tokens for source in sources])
        odds = [share * len(each.training) / each.tokens for share, each in zip(filled, sources, strict=True)]
        self._odds = np.array(odds) / sum(odds)  # of a window, where shares are of tokens
        self.data = [
            Data(
                name=name,
                path=str(path),
                sha256=digest(path),
                share=share,
                rows=source.rows,
                held_out_rows=source.held_out_rows,
                tokens=source.tokens,
            )
            for (name, source), (path, _), share in zip(
                self._sources.items(), pairs.data, filled, strict=True
            )
        ]

    def loss(self, model: Any) -> Loss:
        """See `Material`."""
        self._at_once = tokens_at_once(model, on_cpu=_AT_ONCE, logits=True)
        return full_loss

    def batches(self, step: int, progress: float) -> list[Batch]:
        """See `Material`."""
        chance = np.random.default_rng((self._seed, step))
        sources = list(self._sources.values())
        drawn: list[Window] = []
        while sum(len(window.ids) for window in drawn) < self._batch_tokens:
            windows = sources[int(chance.choice(len(sources), p=self._odds))].training
            drawn.append(windows[int(chance.integers(len(windows)))])
        return [
            self._batch([drawn[i] for i in part])
            for part in batches([*map(self._size, drawn)], self._at_once)
        ]

    def _size(self, window: Window) -> int:
        return len(self._first) + len(window.ids)

    def _batch(self, some: list[Window]) -> Batch:
        before, width = len(self._first), max(map(self._size, some))
        ids = np.zeros((len(some), width), np.int64)  # padded with any token: nothing looks that way
        targets = np.full((len(some), width), IGNORED, np.int64)
        for row, target, window in zip(ids, targets, some, strict=True):
            end = before + len(window.ids)
            row[:end] = np.concatenate((self._first, window.ids))
            target[before + window.learned : end] = window.ids[window.learned :]
        return Batch(torch.from_numpy(ids[:, :-1].copy()), torch.from_numpy(targets[:, 1:].copy()))

    def figures(self, model: Any) -> Figures:
        """See `Material`."""
        return {name: fit(model, self._first, source.held_out) for name, source in self._sources.items()}
