"""Runs compressors for many callers at a time: on a thread beside the caller, in another process, on other machines."""

from __future__ import annotations

from compressors.engines.batcher import Batcher
from compressors.engines.engine import (
    Engine,
    NotReadyError,
    QueueFullError,
    Shortened,
    Speed,
    Timings,
    estimated_tokens,
)

__all__ = [
    "Batcher",
    "Engine",
    "NotReadyError",
    "QueueFullError",
    "Shortened",
    "Speed",
    "Timings",
    "estimated_tokens",
]
