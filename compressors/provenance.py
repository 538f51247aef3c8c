"""What figures and weights were made with: date, hardware, versions. Knows neither."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("laconic", "numpy", "rank-bm25", "tiktoken", "tokenizers", "torch", "transformers")
_CPU_INFO = Path("/proc/cpuinfo")


def environment() -> dict[str, object]:
    """`date` (UTC, ISO 8601), `hardware` and `versions`; the GPU only if something has been run on one."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": {
            "system": f"{platform.system()} {platform.machine()}",
            "cpu": _cpu(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "threads": _threads(),
            "gpu": _gpu(),
        },
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _cpu() -> str:
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _threads() -> int | None:
    """Torch's threads, if a method has loaded it."""
    torch = sys.modules.get("torch")
    return None if torch is None else torch.get_num_threads()


def _gpu() -> str | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return str(torch.cuda.get_device_name())


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
