"""Who may use a device: one thread at a time, in the order in which they asked. Knows no models."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock that is fair, as `threading.Lock` isn't: who has just had it waits behind those that wait already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


_lock = threading.Lock()
_by_device: dict[str, Turns] = {}


def turns(device: str) -> Turns:
    """Those of a device, as torch names it: two models that compute at once on one slow each other down."""
    with _lock:
        return _by_device.setdefault(device, Turns())
