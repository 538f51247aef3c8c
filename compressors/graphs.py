"""A model's forward pass on a CUDA device, recorded for a few sizes of batch and replayed at once.

Owns the sizes and the memory that the records read and write. Knows no model: it records what it is given.
N: tokens of a batch, S: its sequences.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from compressors.attention import Lengths, ends_of

Run = Callable[[torch.Tensor, torch.Tensor, Lengths], torch.Tensor]
"""From ids and positions (`(N,)` int64) and lengths to `(N, labels)`."""

_SIZES = (512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536)
"""Below the smallest, matrix products are split along their inner dimension, which sums up in another order: then a
text alone and in a batch would get other numbers. From it on they don't (seen on an H200, in float16)."""
_RECORDING = threading.Lock()
"""CUDA records for one thread of a process at a time."""
_TOKENS_PER_SEQUENCE = 32
"""A record has room for one sequence in so many tokens: each place costs time, also where it stays empty."""


@dataclass(frozen=True, slots=True)
class _Record:
    graph: torch.cuda.CUDAGraph
    row: torch.Tensor
    """Ids, then positions, as they are copied in; `(2, N)` int64."""
    ends: torch.Tensor
    """`(S + 1,)` int32."""
    outputs: torch.Tensor
    """`(N, labels)`."""


class Graphs:
    """Replays `run` for any batch of up to `most_tokens`; a larger one, or one of very many sequences, runs as it is.

    Kernels start without Python in between, which is what small batches wait for, and what other threads of this
    process would hold up. What a token gets doesn't depend on the size of the record (CUDA graphs: CUDA C++
    Programming Guide, section 3.2.8.7).
    """

    def __init__(self, run: Run, device: torch.device, longest: int, most_tokens: int) -> None:
        """`longest` is the most tokens of a sequence. Raises RuntimeError where nothing can be recorded."""
        self._run = run
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        sizes = [size for size in _SIZES if size < most_tokens] + [most_tokens]
        with _RECORDING, torch.cuda.device(device):
            made = {size: self._record(size, min(longest, size)) for size in reversed(sizes)}
        self._records = dict(reversed(made.items()))
        """By size, the smallest first; the largest was made first, so that the others fit into its memory."""

    @torch.inference_mode()
    def _record(self, size: int, longest: int) -> _Record:
        places = max(8, size // _TOKENS_PER_SEQUENCE)
        row = torch.zeros((2, size), dtype=torch.int64, device=self._device)
        ends = torch.full((places + 1,), size, dtype=torch.int32, device=self._device)
        ends[: size // longest + 1] = torch.arange(size // longest + 1, dtype=torch.int32) * longest
        lengths = Lengths((), longest, ends)
        aside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(aside):  # libraries choose and load their kernels before they are recorded
            self._run(row[0], row[1], lengths)
        torch.cuda.current_stream(self._device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, self._pool, aside, capture_error_mode="thread_local"):
            outputs = self._run(row[0], row[1], lengths)
        record = _Record(graph, row, ends, outputs)
        row.random_(0, longest)  # positions have to be below that
        graph.replay()
        if not torch.allclose(
            outputs.float(), self._run(row[0], row[1], lengths).float(), rtol=0.1, atol=0.1
        ):
            raise RuntimeError("a replayed CUDA graph computes something else than what was recorded")
        return record

    @torch.inference_mode()
    def __call__(self, row: npt.NDArray[np.int64], lengths: Sequence[int]) -> torch.Tensor:
        """What `run` gives for ids and positions, `(2, N)`, of sequences of `lengths`; valid until the next call."""
        tokens = row.shape[1]
        fitting = (
            record
            for size, record in self._records.items()
            if size >= tokens and len(record.ends) > len(lengths)
        )
        record = next(fitting, None)
        host = torch.from_numpy(row).pin_memory()
        if record is None:
            copied = host.to(self._device, non_blocking=True)
            return self._run(copied[0], copied[1], Lengths.of(lengths, self._device))
        ends = np.full(len(record.ends), tokens, dtype=np.int32)  # empty sequences behind the last
        ends[: len(lengths) + 1] = ends_of(lengths)
        record.row[:, :tokens].copy_(host, non_blocking=True)
        record.ends.copy_(torch.from_numpy(ends).pin_memory(), non_blocking=True)
        record.graph.replay()
        return record.outputs[:tokens]
