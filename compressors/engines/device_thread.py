"""Which thread computes on a device: one, for all models there. Knows no models.

Two models that compute at once on one device slow each other down. On a processor even a thread that only has computed
slows others down for as long as it lives: torch's OpenMP counts the helpers it keeps for it, and once these are more
than there are cores, all of them sleep at every step instead of waiting awake (libgomp, GOMP_SPINCOUNT).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar
from weakref import WeakValueDictionary, finalize

from compressors.engines.priority import give_way

T = TypeVar("T")
_Work = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class DeviceThread:
    """A thread that does what it is given, in order, and ends once nobody holds this; an exit doesn't wait for it."""

    def __init__(self, name: str = "laconic-device") -> None:
        self._work: _Work = SimpleQueue()
        threading.Thread(target=_serve, args=(self._work,), name=name, daemon=True).start()
        finalize(self, self._work.put, None)

    def run(self, call: Callable[[], T]) -> T:
        """What `call` gives or raises."""
        future: Future[T] = Future()
        self._work.put((future, call))
        try:
            return future.result()
        finally:
            # it holds an error whose traceback holds this frame: a failed pass's memory would stay
            del future


_lock = threading.Lock()
_by_device: WeakValueDictionary[str, DeviceThread] = WeakValueDictionary()


def device_thread(device: str) -> DeviceThread:
    """The one of a device, as torch names it."""
    with _lock:
        thread = _by_device.get(device)
        if thread is None:
            thread = _by_device[device] = DeviceThread(f"laconic-{device}")
        return thread


def on_passing_thread(call: Callable[[], T]) -> T:
    """What `call` gives or raises, on a thread that ends with it, for what computes a little beside a device's."""
    return DeviceThread("laconic-passing").run(call)


def _serve(work: _Work) -> None:
    give_way()  # the threads that torch starts from this one do so too
    while (task := work.get()) is not None:
        future, call = task
        try:
            future.set_result(call())
        except BaseException as error:  # libraries in Rust panic with more than an Exception
            future.set_exception(error)
        del task, future, call  # what was computed isn't kept while waiting
