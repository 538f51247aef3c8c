"""An application served on a loopback port, for commands that show or measure the real proxy."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

_POLL_S = 0.01


class NotServingError(Exception):
    """A server doesn't start or can't load a model; the message says why."""


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """Serve `app` on a free port of this machine from a thread; gives the port. Raises `NotServingError`."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(_POLL_S)
    if not server.started:
        raise NotServingError("the server did not start; its log says why")
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
