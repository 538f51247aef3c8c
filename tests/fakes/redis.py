"""A real redis-server on a free loopback port, without persistence, that tests may kill and restart.

Owns the process. Knows nothing of what is stored in it.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Self

INSTALL = (
    "redis-server is not installed, and the tests need a real one: "
    "`apt-get install redis-server` (Debian, Ubuntu), `dnf install redis` (Fedora), "
    "`apk add redis` (Alpine) or `brew install redis` (macOS)."
)
START_TIMEOUT_S = 10.0


class RedisServer:
    """A context manager: the server listens while it is open, at `url`.

    Raises RuntimeError, with the way to install it, where there is no redis-server.
    """

    def __init__(self) -> None:
        self._binary = shutil.which("redis-server")
        if self._binary is None:
            raise RuntimeError(INSTALL)
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = tempfile.TemporaryDirectory(prefix="laconic-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.restart()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def kill(self) -> None:
        """End the server at once (SIGKILL); connections break and the port refuses."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Stop answering while connections stay open and new ones are accepted, until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again after `hang`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start the server afresh, empty, on the same port; returns once it answers."""
        self.kill()
        settings = f"--bind 127.0.0.1 --port {self.port} --appendonly no --loglevel warning --save".split()
        self._process = subprocess.Popen(
            [str(self._binary), *settings, ""],
            cwd=self._folder.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_answers(self._process)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if process.poll() is not None:
                raise RuntimeError(f"redis-server ended with status {process.returncode} at its start")
            if time.monotonic() > deadline:
                raise RuntimeError(f"redis-server did not answer within {START_TIMEOUT_S} s")
            time.sleep(0.01)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
