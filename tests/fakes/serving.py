"""`laconic serve` as a process of its own, and what the system knows of it and its children."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.laconic import Answer, body, send

START_S = 90.0


@contextmanager
def serving(*arguments: str, port: int, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The server, ready, as long as the context is open; it ends as it would in production."""
    command = [sys.executable, "-m", "proxy.cli", "serve", "--port", str(port), *arguments]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stderr=errors, env={**os.environ, **environment})
        try:
            until = time.monotonic() + START_S
            while not is_ready(port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()
            process.wait(60)


def is_ready(port: int) -> bool:
    """What /readyz says; nothing that listens is not ready."""
    try:
        return send("GET", f"http://127.0.0.1:{port}/readyz").status == 200
    except OSError:
        return False


def ask(port: int, text: str) -> Answer:
    """One chat request with one message."""
    return send("POST", f"http://127.0.0.1:{port}/v1/chat/completions", body(text))


def children(pid: int) -> list[int]:
    """The processes that a process has started (Linux only)."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def has_torch(pid: int) -> bool:
    """Whether torch is loaded in a process (Linux only)."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()
