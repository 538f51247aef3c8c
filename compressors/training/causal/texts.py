"""Turns documents into tokens, and tokens into windows to train on. Knows no model.

B: windows of a batch, T: tokens that each of them predicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compressors.training.causal.corpus import DOMAINS, Document, Domain

HELD_OUT = 40
"""Of so many origins of documents, the last is held out."""
_LINES_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The documents of one domain behind each other, with [SEP] after each."""

    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    """Where lines begin, ascending."""


@dataclass(frozen=True, slots=True)
class Split:
    """The tokens of one domain."""

    training: Tokens
    held_out: Tokens


def tokenize(documents: Iterable[Document], tokenizer: Any) -> Split:
    """Token ids of `documents`, cut into a training and a held-out part by where documents come from."""
    ordinals: dict[str, int] = {}
    parts: tuple[list[str], list[str]] = ([], [])
    for document in documents:
        ordinal = ordinals.setdefault(document.origin, len(ordinals))
        part = parts[ordinal % HELD_OUT == HELD_OUT - 1]
        part += [*document.lines[:-1], document.lines[-1] + tokenizer.sep_token]
    return Split(*(_encode(lines, tokenizer) for lines in parts))


def _encode(lines: list[str], tokenizer: Any) -> Tokens:
    ids: list[npt.NDArray[np.int32]] = [np.empty(0, np.int32)]
    for i in range(0, len(lines), _LINES_AT_ONCE):
        encodings = tokenizer.backend_tokenizer.encode_batch_fast(
            lines[i : i + _LINES_AT_ONCE], add_special_tokens=False
        )
        ids += [np.array(encoding.ids, np.int32) for encoding in encodings]
    ends = np.cumsum([len(line) for line in ids])
    return Tokens(np.concatenate(ids), ends[:-1])


def load_splits(data: Path, cache: Path, tokenizer: Any) -> dict[str, Split]:
    """The tokens of every domain under `data`; kept in `cache` for the next time."""
    cache.mkdir(parents=True, exist_ok=True)
    return {domain.name: _load_split(domain, data, cache, tokenizer) for domain in DOMAINS}


def _load_split(domain: Domain, data: Path, cache: Path, tokenizer: Any) -> Split:
    path = cache / f"{domain.name}.npz"
    if not path.exists():
        split = tokenize(domain.read(data / domain.file), tokenizer)
        training, held_out = split.training, split.held_out
        np.savez(
            path,
            ids=training.ids,
            starts=training.starts,
            held_out_ids=held_out.ids,
            held_out_starts=held_out.starts,
        )
    with np.load(path) as stored:
        return Split(
            Tokens(stored["ids"], stored["starts"]),
            Tokens(stored["held_out_ids"], stored["held_out_starts"]),
        )


class Mixture:
    """Draws training windows from several domains; the same for the same seed and step.

    Raises `ValueError` if a domain has no more tokens than a window.
    """

    def __init__(self, domains: Sequence[tuple[Tokens, float]], *, first: int, seed: int) -> None:
        self._domains = [tokens for tokens, _ in domains]
        self._shares = np.array([share for _, share in domains]) / sum(share for _, share in domains)
        self._first = first
        self._seed = seed

    def batch(self, step: int, *, rows: int, length: int) -> torch.Tensor:
        """Windows that begin at lines, after the token `first`: `(B, T + 1)` int64."""
        chance = np.random.default_rng((self._seed, step))
        batch = np.full((rows, length + 1), self._first, np.int64)  # (B, T + 1)
        for row, domain in zip(batch, chance.choice(len(self._domains), rows, p=self._shares), strict=True):
            tokens = self._domains[domain]
            last = len(tokens.ids) - length
            if last < 0:
                raise ValueError(f"a domain has {len(tokens.ids)} tokens; a window takes {length}")
            start = min(int(chance.choice(tokens.starts)), last)
            row[1:] = tokens.ids[start : start + length]
        return torch.from_numpy(batch)
