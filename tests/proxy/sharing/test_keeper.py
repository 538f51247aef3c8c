"""The supervisor's side: processes that start on demand, come back, and never outlive what started them."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.sharing import Keeper
from proxy.sharing.engine import places
from tests.fakes.serving import children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

SUPERVISOR = """
import asyncio, functools, time
from proxy.sharing import Keeper
from proxy.sharing.engine import places

if __name__ == "__main__":
    with Keeper(functools.partial(print, "started", flush=True)) as keeper:
        asyncio.run(places(keeper.folder, "cpu"))
        time.sleep(60)
"""


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def _hosts() -> list[int]:
    return [pid for pid in children(os.getpid()) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


def _is_there(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_device_has_one_process() -> None:
    with Keeper(functools.partial(logging.getLogger, "laconic")) as keeper:
        assert stat.S_IMODE(keeper.folder.stat().st_mode) == 0o700
        (one,) = asyncio.run(places(keeper.folder, "cpu"))
        both = asyncio.run(places(keeper.folder, "cuda:0, cpu"))
        assert both[1] == one
        assert [place.device for place in both] == ["cuda:0", "cpu"]
        assert len({place.path for place in both}) == 2
        _until(lambda: len(_hosts()) == 2 and one.path.exists())
        (found,) = asyncio.run(places(keeper.folder, "auto"))
        if found.device == "cpu":  # there is no GPU
            assert found == one
        folder = keeper.folder
    assert not _hosts()
    assert not folder.exists()


def test_a_process_that_was_killed_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    with Keeper(functools.partial(logging.getLogger, "laconic")) as keeper:
        asyncio.run(places(keeper.folder, "cpu"))
        _until(lambda: len(_hosts()) == 1)
        (victim,) = _hosts()
        os.kill(victim, signal.SIGKILL)
        _until(lambda: len(_hosts()) == 1 and _hosts() != [victim])
        assert "ended with status -9" in caplog.text


def test_processes_end_with_their_supervisor(tmp_path: Path) -> None:
    script = tmp_path / "supervisor.py"
    script.write_text(SUPERVISOR)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"started\n"
        (host,) = [
            pid
            for pid in children(supervisor.pid)
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
        ]
        supervisor.kill()
    _until(lambda: not _is_there(host))
