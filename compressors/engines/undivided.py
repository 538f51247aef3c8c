"""Compressors whose work can't be cut, as ones whose every job is a single unit."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from compressors.base import Compressed, Compressor, Job
from compressors.engines.engine import estimated_tokens
from compressors.passes import Divisible

_BATCH_TOKENS = 8192


@dataclass(frozen=True, slots=True)
class _Whole:
    job: Job

    def __len__(self) -> int:
        return estimated_tokens(len(self.job.text))


class Undivided:
    """Wraps any compressor."""

    def __init__(self, compressor: Compressor) -> None:
        self.fingerprint = compressor.fingerprint
        self.device = f"cpu of {id(compressor)}"  # unknown, so shared with no other
        self.batch_tokens = _BATCH_TOKENS
        self.compress = compressor.compress

    def passes(self, job: Job) -> Generator[Sequence[_Whole], Sequence[Any], Compressed]:
        """One pass of one unit."""
        [result] = yield [_Whole(job)]
        assert isinstance(result, Compressed)
        return result

    def forward(self, units: Sequence[_Whole]) -> list[Compressed]:
        """The jobs' results."""
        return self.compress([unit.job for unit in units])


def divisible(compressor: Compressor) -> Divisible:
    """`compressor` itself, if its work can be cut."""
    return compressor if isinstance(compressor, Divisible) else Undivided(compressor)
