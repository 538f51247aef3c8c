"""A client that costs next to nothing: one connection, one request at a time, times to the microsecond."""

from __future__ import annotations

import re
import socket
import time

from tests.benchmarks.processes import API_KEY


class Connection:
    """One connection to a server, which is kept open."""

    def __init__(self, port: int, prefix: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"POST {prefix}/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {API_KEY}\r\ncontent-length: "
        )

    def post(self, body: bytes) -> tuple[float, bytes]:
        """Send a request; seconds until the whole answer was there, and its status line and headers."""
        request = f"{self._head}{len(body)}\r\n\r\n".encode() + body
        started = time.perf_counter()
        self._socket.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._read()
        length = re.search(rb"(?i)content-length: *(\d+)", received[:end])
        assert length is not None, received[:end]
        missing = end + 4 + int(length[1]) - len(received)
        while missing > 0:
            missing -= len(self._read())
        return time.perf_counter() - started, received[:end]

    def _read(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
