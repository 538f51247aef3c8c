"""Runs compressors for many callers at a time: on a thread beside the caller, in another process, on other machines."""

from __future__ import annotations

from compressors.engines.batcher import Batcher
from compressors.engines.device_thread import DeviceThread, on_passing_thread
from compressors.engines.engine import (
    BatchStatistics,
    Engine,
    NotReadyError,
    QueueFullError,
    Shortened,
    Speed,
    Timings,
    estimated_tokens,
    resolve,
)
from compressors.engines.priority import give_way
from compressors.engines.several import Several

__all__ = [
    "BatchStatistics",
    "Batcher",
    "DeviceThread",
    "Engine",
    "NotReadyError",
    "QueueFullError",
    "Several",
    "Shortened",
    "Speed",
    "Timings",
    "estimated_tokens",
    "give_way",
    "on_passing_thread",
    "resolve",
]
