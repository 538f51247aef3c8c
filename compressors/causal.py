"""Surprise of tokens under a causal language model: batched, with shared prefixes and pasts kept in place.

Owns batching and forward passes. Knows token ids, but no text and no words.
B: sequences in a batch, P: tokens of a prefix, L: tokens of the longest sequence, C: size of a state, N: tokens
that are judged.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np
import torch

from compressors.batches import batches
from compressors.cache import Behind, Past, Prefix
from compressors.costs import costs_of
from compressors.findings import Findings, Wanted
from compressors.head import Head
from compressors.last_layer import LastLayer
from compressors.prefixes import Prefixes
from compressors.reading import TokenIds
from compressors.streams import Stream
from compressors.units import Continuation, Held, Judgement, Known, Line, Piece, States, Surprisals, Unit

__all__ = ["Causal", "Continuation", "States", "Stream", "Surprisals"]

_WORTH_SHARING = 8
"""Tokens of a prefix below which reading it again costs less than copying its past."""


class _Batch(NamedTuple):
    """Rows for one pass."""

    members: list[int]
    """Which of the continuations that were asked for."""
    rows: list[TokenIds]
    known: list[int]
    """Tokens of each row that belong to its prefix, at least one."""
    cache: Behind


class Causal:
    """A causal language model that tells how surprising tokens are.

    `window` is the most tokens of one sequence, prefix included; callers cut longer texts. `batch_tokens`
    bounds one forward pass, padding included. Sequences are padded on the right, where causal attention
    never looks, so a sequence's result doesn't depend on its neighbours beyond rounding, and no mask is needed.
    """

    def __init__(self, model: Any, *, window: int, batch_tokens: int) -> None:
        self.window = window
        self.batch_tokens = batch_tokens
        self.device: torch.device = model.device
        self.head = Head(model)
        self.forwarded_tokens = 0
        """Tokens that went through the model so far, padding left out."""
        self._body = model.base_model
        self._last = LastLayer(model)
        names = inspect.signature(self._body.forward).parameters
        self._past_name = "cache" if "cache" in names else "past_key_values"  # renamed within transformers 5
        self._costs = costs_of(model)
        self._prefixes = Prefixes(self._costs.prefix_bytes)
        self._held: WeakSet[Held] = WeakSet()
        self._lines: WeakSet[Line] = WeakSet()

    @torch.inference_mode()
    def forward(self, units: Sequence[Unit]) -> list[Known]:
        """What each unit asks for, in order, whatever they are; one copy from the device for all of them.

        What is held for jobs is bounded: beyond that, tokens are judged before anyone asks, and the past of a
        line is forgotten, which costs its reading again.
        """
        findings = Findings(self.head)
        results = [Known() for _ in units]
        both = list(zip(units, results, strict=True))
        self._continue([(unit, known) for unit, known in both if isinstance(unit, Continuation)], findings)
        for unit, known in both:
            if isinstance(unit, Piece):
                self._read_piece(unit, known, findings)
        self._judge([unit.held for unit in units if isinstance(unit, Judgement)], findings)
        findings.settle()
        for unit, known in both:
            if isinstance(unit, Judgement) and unit.held.surprisals is not None:
                known.surprisals = unit.held.surprisals
                unit.held.states = None
        return results

    def read(self, sequences: Sequence[Continuation]) -> list[States]:
        """The states before each token of each sequence that is to be judged, in order: `(L, C)` for L tokens.

        A prefix that several sequences share is computed once.
        """
        results: dict[int, States] = {}
        for batch in self._batches(sequences):
            spans = [
                (known - 1 + sequences[member].judged[0], known - 1 + sequences[member].judged[1])
                for member, known in zip(batch.members, batch.known, strict=True)
            ]
            states, _ = self._states(batch.rows, batch.cache, first=min(low for low, _ in spans))
            for member, state, span in zip(batch.members, states, spans, strict=True):
                results[member] = state[slice(*span)]
        return [results[index] for index in range(len(sequences))]

    def surprisals(self, states: Sequence[States], ids: Sequence[TokenIds]) -> list[Surprisals]:
        """−log p of each token in nats, from what `read` gave for it (or for a slice); one copy from the device."""
        if not states:
            return []
        [targets] = self._on_device([np.concatenate(ids)])
        flat = self.head.surprisals(torch.cat(list(states)), targets).cpu().numpy()  # (N,)
        return np.split(flat, np.cumsum([len(part) for part in ids])[:-1])

    def stream(self) -> Stream:
        """A sequence that is read piece by piece."""
        return Stream(lambda ids, past: self._states([ids], past)[0][0])

    def _continue(self, asked: Sequence[tuple[Continuation, Known]], findings: Findings) -> None:
        taken = sum(held.nbytes for held in self._held)
        for batch in self._batches([unit for unit, _ in asked]):
            width = max(map(len, batch.rows))
            wanted = Wanted()
            kept: list[tuple[Held, slice, int]] = []
            for number, (member, known) in enumerate(zip(batch.members, batch.known, strict=True)):
                (unit, result), first = asked[member], number * width + known - 1
                wanted.add(result, unit.ids, unit.judged, first)
                if unit.held[0] == unit.held[1]:
                    continue
                held = result.held = Held(unit.ids[slice(*unit.held)])
                taken += len(held.ids) * self.head.state_bytes
                if taken > self._costs.held_bytes:
                    wanted.add(held, unit.ids, unit.held, first)
                else:
                    kept.append((held, slice(known - 1 + unit.held[0], known - 1 + unit.held[1]), number))
            first = min(
                known - 1 + _first_seen(asked[member][0])
                for member, known in zip(batch.members, batch.known, strict=True)
            )
            states, (spots, targets) = self._states(
                batch.rows, batch.cache, wanted.spots, wanted.targets, first=first
            )
            findings.add(wanted.sinks, states.flatten(0, 1)[spots], targets)
            for held, columns, number in kept:
                held.states = states[number, columns].clone()  # a view would hold the whole batch
                self._held.add(held)

    def _read_piece(self, unit: Piece, known: Known, findings: Findings) -> None:
        line, past, ids = unit.line, unit.line.past, unit.ids
        whole = np.concatenate((line.ids[: unit.kept], ids))
        if past is None:
            past, ids = Past(), whole
        else:
            past.keep(unit.kept)
        wanted = Wanted()
        wanted.add(known, ids, (len(ids) - unit.judged, len(ids)), -1)
        states, (spots, targets) = self._states(
            [ids], past, wanted.spots, wanted.targets, first=len(ids) - unit.judged - 1
        )
        findings.add(wanted.sinks, states[0][spots], targets)
        line.ids, line.past = whole, past
        self._lines.add(line)
        if sum(line.nbytes for line in self._lines) > self._costs.line_bytes:
            line.past = None  # not that of another, which has come further

    def _judge(self, asked: Sequence[Held], findings: Findings) -> None:
        found = [(held, held.states) for held in asked if held.states is not None]
        if found:
            [targets] = self._on_device([np.concatenate([held.ids for held, _ in found])])
            sinks = [(held, len(held.ids)) for held, _ in found]
            findings.add(sinks, torch.cat([states for _, states in found]), targets)

    def _batches(self, asked: Sequence[Continuation]) -> Iterator[_Batch]:
        groups: dict[bytes, list[int]] = defaultdict(list)
        for index, unit in enumerate(asked):
            groups[unit.prefix.tobytes()].append(index)
        alone: list[int] = []
        for key, members in groups.items():
            prefix = asked[members[0]].prefix
            if self._is_worth_sharing(key, prefix, [asked[index] for index in members]):
                past = self._prefix(key, prefix)
                rows = [np.concatenate((prefix[-1:], asked[index].ids)) for index in members]
                for batch in self._sorted([len(prefix) + len(row) for row in rows]):
                    yield _Batch(
                        [members[i] for i in batch], [rows[i] for i in batch], [1] * len(batch), Behind(past)
                    )
            else:
                alone += members
        for batch in self._sorted([len(asked[index]) for index in alone]):
            units = [asked[alone[i]] for i in batch]
            yield _Batch(
                [alone[i] for i in batch],
                [np.concatenate((unit.prefix, unit.ids)) for unit in units],
                [len(unit.prefix) for unit in units],
                Behind(),
            )

    def _sorted(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        return batches(lengths, self.batch_tokens, self._costs.pass_tokens)

    def _is_worth_sharing(self, key: bytes, prefix: TokenIds, members: Sequence[Continuation]) -> bool:
        if len(prefix) < _WORTH_SHARING:
            return False
        computed = max(len(members), *(unit.siblings for unit in members)) - 1  # all but the first are saved
        repeats = len(members) if key in self._prefixes else computed
        return repeats * len(prefix) >= self._costs.pass_tokens

    def _prefix(self, key: bytes, prefix: TokenIds) -> Prefix:
        """The past of all but the last token of a prefix."""
        past = self._prefixes.get(key)
        if past is None:
            past = Prefix()
            self._states([prefix[:-1]], past, first=len(prefix))  # its past is all that is wanted
            self._prefixes.put(key, past)
        return past

    def _on_device(self, arrays: Sequence[TokenIds]) -> Sequence[torch.Tensor]:
        """int64 arrays on the model's device, copied at once."""
        sizes = [len(array) for array in arrays]
        buffer = torch.empty(sum(sizes), dtype=torch.int64, pin_memory=self.device.type == "cuda")
        np.concatenate(arrays, out=buffer.numpy())
        copy = buffer.to(self.device, non_blocking=True)
        return torch.split(copy, sizes)

    @torch.inference_mode()
    def _states(
        self, rows: Sequence[TokenIds], cache: Any, *extras: TokenIds, first: int = 0
    ) -> tuple[States, Sequence[torch.Tensor]]:
        """States after each token of `rows` behind `cache`, `(B, L, C)`; and the `extras` there.

        Those before the column `first` need not be right.
        """
        width = max(map(len, rows))
        self.forwarded_tokens += sum(map(len, rows))
        padded = np.zeros((len(rows), width), dtype=np.int64)  # (B, L)
        for target, row in zip(padded, rows, strict=True):
            target[: len(row)] = row
        ids, *others = self._on_device([padded.reshape(-1), *extras])
        with self._last.seen_from(first, width):
            output = self._body(
                input_ids=ids.view(len(rows), width), use_cache=True, **{self._past_name: cache}
            )
        states: States = output.last_hidden_state
        return states, others


def _first_seen(unit: Continuation) -> int:
    """The first token of a continuation whose surprise is wanted, now or later; its length if there is none."""
    spans = (unit.judged, unit.held)
    return min((low for low, high in spans if low < high), default=len(unit.ids))
