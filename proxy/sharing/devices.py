"""Which devices a configuration's `device` stands for, found out where torch doesn't stay loaded.

Knows no processes of compressors and no sockets.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

import compressors


async def devices_of(device: str) -> list[str]:
    """The devices by name, each once; looking for all there are takes a process that loads torch, and seconds."""
    if "auto" not in device:
        return _named(device.split(","))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _found, device)


def _found(device: str) -> list[str]:
    names = compressors.devices(device)
    return _named(
        "cpu" if name == "auto" and not compressors.has_accelerator(name) else name for name in names
    )


def _named(names: Iterable[str]) -> list[str]:
    """The names without what says nothing: torch takes `cuda` for the first one."""
    return list(dict.fromkeys("cuda:0" if name.strip() == "cuda" else name.strip() for name in names))
