"""A compressor without a model whose jobs are cut into units of ten words, and go through in one pass or more.

Keeps every second word of each unit, notes the batches it was given, and waits or fails where a test wants it to.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from compressors import Compressed, Job
from compressors.passes import Passes, compress

UNIT_WORDS = 10


@dataclass(frozen=True, slots=True)
class Words:
    """A unit; each word is a token."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)


class TenWords:
    """A text that holds "twice" goes through the model two times."""

    fingerprint = "ten-words"

    def __init__(self, batch_tokens: int = 20, device: str = "cpu of a fake") -> None:
        self.batch_tokens = batch_tokens
        self.device = device
        self.batches: list[list[str]] = []
        """The first word of each unit of each batch, warm-up left out."""
        self.gate = threading.Semaphore(0)
        """Lets a batch through each time that it is released."""
        self.is_open = False
        """Lets all through."""
        self.entered = threading.Event()
        self.is_broken = False
        """Fails whatever comes, as a GPU does after an illegal access."""

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text."""
        return compress(self, jobs)

    def passes(self, job: Job) -> Passes:
        """One pass, or two."""
        words = job.text.split()
        if "unreadable" in words:
            raise ValueError("unreadable")
        units = [Words(tuple(words[i : i + UNIT_WORDS])) for i in range(0, len(words), UNIT_WORDS)]
        kept = yield units
        if "twice" in words:
            kept = yield [Words(tuple(row)) for row in kept]
        text = " ".join(word for row in kept for word in row)
        size = len(text.split())
        return Compressed(
            spans=((0, len(job.text)),), text=text, original_tokens=len(words), compressed_tokens=size
        )

    def forward(self, units: Sequence[Words]) -> list[tuple[str, ...]]:
        """Every second word of each unit."""
        if self.is_broken:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if units and units[0].words[0] != "word":
            self.batches.append([unit.words[0] for unit in units])
            self.entered.set()
            if not self.is_open:
                assert self.gate.acquire(timeout=30)
            if any("poison" in unit.words for unit in units):
                raise RuntimeError("poison")
        return [unit.words[::2] for unit in units]
