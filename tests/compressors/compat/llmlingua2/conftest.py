"""The parity mode on tiny models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import compressors


@pytest.fixture(scope="module")
def compat(tiny_folder: Callable[[str], Path]) -> Callable[[str], Any]:
    made: dict[str, Any] = {}

    def compressor(kind: str) -> Any:
        if kind not in made:
            made[kind] = compressors.load("llmlingua2", str(tiny_folder(kind)), device="cpu", compat="0.2.2")
        return made[kind]

    return compressor
