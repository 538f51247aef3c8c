"""A compressor without a model: it drops every second word, or fails as a test wants.

Follows the rules that the proxy relies on (spans of the original, protected ranges kept, neighbours without
influence) and lets tests see and delay its work.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Sequence

from compressors import Compressed, Job, render
from compressors.base import Span


class EverySecondWord:
    """Keeps words 1, 3, 5 … and whatever is protected; the question decides whether it starts with the second."""

    fingerprint = "every-second-word"

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        """Every job that it was given after warm-up."""
        self.error: Exception | None = None
        """Raised instead of compressing."""
        self.delay_s = 0.0
        self.gate = threading.Event()
        """Cleared by a test, it makes the model hang."""
        self.gate.set()
        self.breaks_guards = False
        """Drops what is protected as well."""

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text."""
        if all(job.text.startswith("word word") for job in jobs):  # warm-up
            return [self._shorten(job) for job in jobs]
        self.jobs.extend(jobs)
        self.gate.wait(30)
        time.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return [self._shorten(job) for job in jobs]

    def _shorten(self, job: Job) -> Compressed:
        words = [match.span() for match in re.finditer(r"\S+\s*", job.text)]
        keep = bytearray(len(job.text))
        for start, end in words[zlib.crc32(job.question.encode()) % 2 :: 2]:
            keep[start:end] = b"\1" * (end - start)
        if not self.breaks_guards:
            for start, end in (*job.verbatim, *job.forced, *job.heads):
                keep[start:end] = b"\1" * (end - start)
        spans: list[Span] = [match.span() for match in re.finditer(rb"\x01+", bytes(keep))]
        text = render(job.text, spans)
        return Compressed(
            spans=tuple(spans), text=text, original_tokens=len(words), compressed_tokens=len(text.split())
        )
