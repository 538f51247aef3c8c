"""Surprise of tokens under a causal language model: batched, with shared prefixes and a past kept in place.

Owns batching and forward passes. Knows token ids, but no text and no words.
B: sequences in a batch, P: tokens of a prefix, L: tokens of the longest sequence, C: size of a state.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from compressors.batches import batches
from compressors.cache import Past
from compressors.head import Head
from compressors.reading import TokenIds

Surprisals = npt.NDArray[np.float32]
States = torch.Tensor
"""What the model knew before each token of a sequence; `(L, C)`, on the model's device."""

_WORTH_SHARING = 8
"""Tokens below which computing a prefix again costs less than copying its past."""


class Continuation(NamedTuple):
    """Tokens to be read after others."""

    prefix: TokenIds
    """`(P,)` int64, at least one token: BOS, an instruction, a question."""
    ids: TokenIds
    """`(L,)` int64."""


class Causal:
    """A causal language model that tells how surprising tokens are.

    `window` is the most tokens of one sequence, prefix included; callers cut longer texts. `batch_tokens`
    bounds one forward pass, padding included. Sequences are padded on the right, where causal attention
    never looks, so a sequence's result doesn't depend on its neighbours beyond rounding.
    """

    def __init__(self, model: Any, *, window: int, batch_tokens: int) -> None:
        self.window = window
        self.head = Head(model)
        self.forwarded_tokens = 0
        """Tokens that went through the model so far, padding left out."""
        self._body = model.base_model
        names = inspect.signature(self._body.forward).parameters
        self._past_name = "cache" if "cache" in names else "past_key_values"  # renamed within transformers 5
        self._device = model.device
        self._batch_tokens = batch_tokens

    def read(self, sequences: Sequence[Continuation]) -> list[States]:
        """The states before each token of each sequence, in order: `(L, C)` for L tokens.

        A prefix that several sequences share is computed once.
        """
        groups: dict[bytes, list[int]] = defaultdict(list)
        for index, sequence in enumerate(sequences):
            groups[sequence.prefix.tobytes()].append(index)
        results: dict[int, States] = {}
        alone: list[int] = []
        for members in groups.values():
            if len(members) > 1 and len(sequences[members[0]].prefix) >= _WORTH_SHARING:
                results |= self._read_after(sequences[members[0]].prefix, members, sequences)
            else:
                alone += members
        results |= self._read_whole(alone, sequences)
        return [results[index] for index in range(len(sequences))]

    def surprisals(self, states: Sequence[States], ids: Sequence[TokenIds]) -> list[Surprisals]:
        """−log p of each token in nats, from what `read` gave for it (or for a slice); one copy from the device."""
        if not states:
            return []
        targets = torch.from_numpy(np.concatenate(ids)).to(self._device)  # (N,) int64
        flat = self.head.surprisals(torch.cat(list(states)), targets).cpu().numpy()  # (N,)
        return np.split(flat, np.cumsum([len(part) for part in ids])[:-1])

    def stream(self) -> Stream:
        """A sequence that is read piece by piece."""
        return Stream(self)

    def _read_whole(self, members: Sequence[int], sequences: Sequence[Continuation]) -> dict[int, States]:
        results: dict[int, States] = {}
        rows = [np.concatenate(sequences[index]) for index in members]
        for batch in batches([len(row) for row in rows], self._batch_tokens):
            states = self.forward([rows[i] for i in batch])  # (B, P+L, C)
            for state, i in zip(states, batch, strict=True):
                results[members[i]] = state[len(sequences[members[i]].prefix) - 1 : len(rows[i]) - 1]
        return results

    def _read_after(
        self, prefix: TokenIds, members: Sequence[int], sequences: Sequence[Continuation]
    ) -> dict[int, States]:
        results: dict[int, States] = {}
        past = Past()
        last = self.forward([prefix], past)[:, -1:]  # (1, 1, C)
        rows = [sequences[index].ids for index in members]
        for batch in batches([len(prefix) + len(row) for row in rows], self._batch_tokens):
            longest = len(rows[batch[0]])
            states = self.forward([rows[i] for i in batch], past.repeated(len(batch), longest))  # (B, L, C)
            for state, i in zip(states, batch, strict=True):
                results[members[i]] = torch.cat((last[0], state))[: len(rows[i])]
        return results

    @torch.inference_mode()
    def forward(self, rows: Sequence[TokenIds], past: Past | None = None) -> torch.Tensor:
        """States after each token of `rows`, which continue `past` if there is one; `(B, L, C)`."""
        lengths = [len(row) for row in rows]
        self.forwarded_tokens += sum(lengths)
        ids = torch.zeros((len(rows), max(lengths)), dtype=torch.int64)  # (B, L)
        for target, row in zip(ids, rows, strict=True):
            target[: len(row)] = torch.from_numpy(row)
        if not ids.shape[1]:
            return torch.zeros((len(rows), 0, 0), device=self._device)
        past_option = {} if past is None else {self._past_name: past}
        output = self._body(input_ids=ids.to(self._device), use_cache=past is not None, **past_option)
        states: torch.Tensor = output.last_hidden_state
        return states


class Stream:
    """One sequence, read piece by piece and taken back from the end."""

    def __init__(self, causal: Causal) -> None:
        self._causal = causal
        self._past = Past()
        self._last: torch.Tensor | None = None

    @property
    def length(self) -> int:
        """Tokens read so far."""
        return self._past.length

    def read(self, ids: TokenIds) -> States:
        """The states before each of the next tokens, `(L, C)`; `(L-1, C)` for the first piece."""
        states = self._causal.forward([ids], self._past)[0]  # (L, C)
        before = states[:-1] if self._last is None else torch.cat((self._last, states[:-1]))
        self._last = states[-1:]
        return before

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` tokens; the first token read next has no state before it."""
        if length < self.length:
            self._past.keep(length)
            self._last = None

    def drop(self, first: int, count: int) -> None:
        """Forget `count` tokens from place `first` on, but not what later ones have seen of them.

        What is read next takes the places after those that are left; it has no state before it.
        """
        self._past.drop(first, count)
        self._last = None
