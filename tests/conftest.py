"""Fixtures that all tests share: real servers, fake edges."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import compressors
from tests.fakes.compressor import EverySecondWord
from tests.fakes.redis import RedisServer
from tests.fakes.upstream import FakeUpstream

_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """A fresh fake upstream."""
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A fresh, empty Redis."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def compressor(monkeypatch: pytest.MonkeyPatch) -> EverySecondWord:
    """Stands in for every model, so that the proxy's behaviour is tested without one."""
    fake = EverySecondWord()
    monkeypatch.setattr(compressors, "load", lambda *_args, **_options: fake)
    return fake


def conversations(name: str, most: int) -> list[list[dict[str, Any]]]:
    """Real request sequences: the first `most` conversations of several turns; skips where there is no data."""
    path = _DATA / "traffic" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no traffic data at {path}")
    found: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found.setdefault(str(row["conversation"]), []).append(row["request"])
    return [turns for turns in found.values() if len(turns) > 1][:most]
