"""How fast a device multiplies matrices, and how much memory was taken. Knows no models."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from compressors.checkpoint import choose_device

_SIZES = (512, 1024, 2048, 4096, 8192)
_LONG_ENOUGH_S = 0.05
"""A product that takes so long is large enough: the next size would tell nothing new."""
_ROUNDS, _ENOUGH_S = 5, 0.5


@dataclass(frozen=True, slots=True)
class MatmulRate:
    """The best that was measured."""

    flops_per_s: float
    """A multiplication and an addition are two."""
    size: int
    """Rows and columns of both matrices."""
    dtype: str
    way: str
    """`mm` (torch's own), or `onednn` with weights laid out beforehand, whichever is faster."""


@torch.inference_mode()
def matmul_rate(device: str = "auto", dtype: str | None = None, threads: int | None = None) -> MatmulRate:
    """How fast `device` multiplies two large matrices in `dtype`, float32 where none is given.

    `int8` has products of int8 added up in int32, or bfloat16's rate where that can't be done. `threads` sets
    torch's CPU threads, of the whole process.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    place = choose_device(device)
    best = _best(place, dtype or "float32")
    if best is None:
        best = _best(place, "bfloat16")
    assert best is not None, f"no matrix product in {dtype} on {place}"
    return best


def _best(place: torch.device, dtype: str) -> MatmulRate | None:
    best: MatmulRate | None = None
    for size in _SIZES:
        longest = 0.0
        for way, run in _ways(place, dtype, size):
            try:
                seconds = _shortest(run, place)
            except RuntimeError:  # not on this device, or not in this dtype
                continue
            longest = max(longest, seconds)
            found = MatmulRate(2 * size**3 / seconds, size, dtype, way)
            best = found if best is None or found.flops_per_s > best.flops_per_s else best
        if longest > _LONG_ENOUGH_S:
            break
    return best


def peak_bytes(device: str = "auto") -> tuple[int, str]:
    """The most memory taken, and whose it is: `cuda` (torch's tensors) or `process` (resident, since its start)."""
    if choose_device(device).type == "cuda":
        return torch.cuda.max_memory_allocated(choose_device(device)), "cuda"
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "process"


def forget_peak(device: str = "auto") -> int:
    """Measure a GPU's peak anew from here on, and give back what torch holds in reserve; bytes that are in use."""
    place = choose_device(device)
    if place.type != "cuda":
        return 0
    gc.collect()  # models that were put away may hang in cycles
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(place)
    return torch.cuda.memory_allocated(place)


def grown_bytes(device: str, before: int) -> int | None:
    """The most of a GPU's memory taken since `forget_peak`, beyond what it gave; None elsewhere."""
    peak, whose = peak_bytes(device)
    return peak - before if whose == "cuda" else None


def _ways(place: torch.device, dtype: str, size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and product of two square matrices."""
    if dtype == "int8":
        numbers = torch.randint(-127, 127, (size, size), device=place, dtype=torch.int8)
        yield "mm", lambda: torch._int_mm(numbers, numbers)
        return
    matrix = torch.randn((size, size), device=place, dtype=torch.float32).to(getattr(torch, dtype))
    yield "mm", lambda: matrix @ matrix
    if place.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        operations: Any = torch.ops.mkldnn
        try:
            packed = operations._reorder_linear_weight(matrix, None)
        except (AttributeError, RuntimeError):
            return
        yield "onednn", lambda: operations._linear_pointwise(matrix, packed, None, "none", [], "")


def _shortest(run: Callable[[], object], place: torch.device) -> float:
    """Seconds of the fastest of a few runs, after one that doesn't count."""
    times: list[float] = []
    while len(times) <= _ROUNDS and sum(times) < _ENOUGH_S:
        _wait(place)
        started = time.perf_counter()
        run()
        _wait(place)
        times.append(time.perf_counter() - started)
    return min(times[1:], default=times[0])


def _wait(place: torch.device) -> None:
    if place.type == "cuda":
        torch.cuda.synchronize(place)
