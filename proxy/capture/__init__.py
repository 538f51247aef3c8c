"""Requests written to a file for `laconic replay`, only where the operator asks for it.

Owns the queue between the event loop and the thread that writes; knows neither ASGI nor what is done to requests.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from policies.config import Config
from proxy import metrics
from proxy.capture.file import CaptureFile
from proxy.capture.line import Arrival, Selection, line
from proxy.capture.redaction import Redaction
from proxy.errors import MalformedJsonError

__all__ = ["Capture"]

_MOST_WAITING_BYTES = 64 * 2**20
_OVERHEAD_BYTES = 1024  # that a waiting request takes beside its body
_log = logging.getLogger("laconic.capture")


class Capture:
    """Takes requests on the event loop and writes them from a thread of its own; never makes one wait."""

    def __init__(self, file: CaptureFile, key: bytes, *, redact: bool) -> None:
        """`key`, random and the same in all workers, is written nowhere: words and conversations are hidden by it."""
        self._file = file
        self._key = key
        self._redaction = Redaction(key) if redact else None
        self._queue: SimpleQueue[Arrival | None] = SimpleQueue()
        self._taken_bytes = 0  # changed by the event loop only,
        self._done_bytes = 0  # and by the thread only
        self._full = False
        self._warned: set[str] = set()
        self._selection: Selection | None = None
        self._thread = threading.Thread(target=self._run, name="laconic-capture", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, path: Path, key: bytes, *, max_bytes: int, redact: bool) -> Self:
        """Append to the file at `path`, up to a size of `max_bytes`; raises OSError if it can't be written."""
        return cls(CaptureFile(path, max_bytes), key, redact=redact)

    def write(self, config: Config, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Have a chat request written as soon as may be; takes microseconds and raises nothing.

        `headers` has lower-case names; `body` is the request's, without its content encoding. What is no
        chat request in JSON is left out.
        """
        if self._full:
            metrics.CAPTURED.labels("over_cap").inc()
            return
        if self._taken_bytes - self._done_bytes + len(body) + _OVERHEAD_BYTES > _MOST_WAITING_BYTES:
            self._drop("capture: the disk is too slow, some requests are left out")
            return
        if self._selection is None or self._selection.config is not config:  # it was loaded again
            self._selection = Selection(config)
        self._taken_bytes += len(body) + _OVERHEAD_BYTES
        self._queue.put(Arrival(time.time(), path, *self._selection.of(headers), body))

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what waits and close the file; gives up after `timeout_s`. Blocks, so not for the event loop."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _log.warning("capture: the disk is too slow, the last requests are left out")

    def _run(self) -> None:
        while (arrival := self._queue.get()) is not None:
            try:
                self._write(arrival)
            except MalformedJsonError:
                metrics.CAPTURED.labels("dropped").inc()
            except OSError as error:
                self._drop(f"capture: {error.strerror}, some requests are left out")
            except Exception as error:  # whatever is wrong with a request, the next one gets its chance
                self._drop(f"capture: {type(error).__name__}, some requests are left out")
            finally:
                self._done_bytes += len(arrival.body) + _OVERHEAD_BYTES
        self._file.close()

    def _write(self, arrival: Arrival) -> None:
        if not self._full and self._file.append(line(arrival, self._key, self._redaction)):
            metrics.CAPTURED.labels("written").inc()
            return
        self._full = True  # for good: a smaller request that still fits would come without those before it
        self._warn("capture: the file has reached its greatest size, no more requests are written")
        metrics.CAPTURED.labels("over_cap").inc()

    def _drop(self, why: str) -> None:
        metrics.CAPTURED.labels("dropped").inc()
        self._warn(why)

    def _warn(self, message: str) -> None:
        """Log a warning the first time only."""
        if message not in self._warned:
            self._warned.add(message)
            _log.warning(message)
