"""Ends a training between two steps when its process is asked to end. Knows signals only."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether the process was asked to end."""

    def __init__(self) -> None:
        self.signal: int | None = None
        """The signal that asked."""
        self._usual: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts, a first SIGTERM or Ctrl-C is only noted; a second does what it usually does."""
        self._usual = {number: signal.signal(number, self._note) for number in _SIGNALS}
        try:
            yield
        finally:
            self._restore()

    def _note(self, number: int, _frame: object) -> None:
        if self.signal is None:
            self.signal = number
        else:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)
