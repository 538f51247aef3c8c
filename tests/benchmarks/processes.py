"""Server processes on a core of their own: started, waited for, looked into, stopped.

Knows nothing of what the servers do.
"""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

API_KEY = f"sk-{secrets.token_hex(32)}"
"""The caller's credential, new in every run: LiteLLM's proxy starts with no weaker one."""
HEADERS = {"content-type": "application/json", "authorization": f"Bearer {API_KEY}"}


class UnavailableError(Exception):
    """A program that the benchmark needs isn't there or doesn't start; the message says what to do."""


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def ask(url: str, body: bytes | None, timeout_s: float = 60.0) -> http.client.HTTPResponse:
    """One POST, or a GET where there is no body, over a new connection; the response has been read."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout_s)
    try:
        connection.request("GET" if body is None else "POST", parts.path, body, HEADERS)
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


class Server:
    """A context manager: the process runs on `core` while it is open, its output going to `log`."""

    def __init__(
        self, command: Sequence[str], *, core: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = ["taskset", "-c", str(core), *command]
        self.log = log
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self) -> Self:
        self.started_at = time.monotonic()
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.log.parent,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def seconds_to_answer(self, url: str, body: bytes | None, timeout_s: float = 120.0) -> float:
        """Wait for the first 200; seconds since the process was started. UnavailableError if none comes."""
        while time.monotonic() < self.started_at + timeout_s:
            if self.process.poll() is not None:
                break
            try:
                if ask(url, body).status == 200:
                    return time.monotonic() - self.started_at
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.005)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise UnavailableError(f"{' '.join(self.command)} does not answer at {url}:\n{tail}")

    def resident_bytes(self) -> int:
        """Resident memory of the process and all its descendants, in bytes."""
        return sum(_resident_bytes(pid) for pid in _family(self.process.pid))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
