"""Which thread goes first where cores are few. Knows nothing of what they do."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_NICENESS = 10
_SWITCH_S = 0.0005
"""How long a thread may keep the interpreter from the others; Python's own is 5 ms."""


def give_way() -> None:
    """Let other threads, the event loop's above all, go before this one and those it starts.

    On Linux each thread has a niceness of its own; elsewhere only the interpreter changes hands sooner.
    """
    sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
