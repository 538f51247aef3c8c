"""`laconic serve --engine ray`: a cluster, found or started, that serves until this process is told to end.

Knows the cluster's life; the application is `deployment.py`'s.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
from collections.abc import Callable, Iterator

# Before Ray is imported, which reads it then.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray import serve

from compressors import CompressionError
from policies.loading import ConfigError
from proxy.cluster.deployment import NAME, application
from proxy.cluster.source import Source, UnsharedStoreError
from proxy.settings import Settings, SettingsError

_log = logging.getLogger("laconic.cluster")


def run(
    read: Callable[[], Source],
    settings: Settings,
    *,
    address: str | None,
    host: str,
    port: int,
    workers: int,
    level: int,
) -> None:
    """Serve what `read` gives on the Ray cluster at `address`, or on one that is started on this machine.

    SIGHUP deploys what `read` gives then; requests under way are served to their end. Raises what `application`
    raises, ConnectionError where no cluster answers, and RuntimeError if Ray can't start the application.
    """
    app = application(read(), settings, workers, level)
    dashboard = False if address is None else None  # a cluster has its own
    ray.init(address or "local", namespace=NAME, logging_level=logging.WARNING, include_dashboard=dashboard)
    try:
        serve.start(proxy_location="EveryNode", http_options={"host": host, "port": port})
        serve.run(app, name=NAME, route_prefix="/")
        _log.info("%d proxies serve on port %d of the cluster's machines", workers, port)
        for number in _signals():
            if number != signal.SIGHUP:
                break
            _deploy_again(read, settings, workers, level)
        serve.delete(NAME)
    finally:
        ray.shutdown()


def _deploy_again(read: Callable[[], Source], settings: Settings, workers: int, level: int) -> None:
    try:
        serve.run(application(read(), settings, workers, level), name=NAME, route_prefix="/")
    except (
        ConfigError,
        SettingsError,
        CompressionError,
        UnsharedStoreError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        _log.error("configuration not deployed: %s", error)
    else:
        _log.info("configuration deployed again")


def _signals() -> Iterator[int]:
    """The signals that are meant for a server, as they come."""
    came: queue.SimpleQueue[int] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.signal(number, lambda number, _: came.put(number)))
        while True:
            yield came.get()
