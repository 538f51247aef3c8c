"""`laconic serve --engine ray`: a cluster, found or started, that serves until this process is told to end.

Owns what runs on it, and the change from one configuration to the next; the deployments are `deployment.py`'s. Each
compressor is an application of its own, so that a new configuration leaves those as they are that it goes on using,
and the proxies change over once new ones are loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Before Ray is imported, which reads it then.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus

from policies.config import Compressor
from policies.loading import ConfigError
from proxy.cluster.deployment import NAME, copies, deployment_name, proxies
from proxy.cluster.source import Source, UnsharedStoreError, require_shared_store, used_compressors
from proxy.settings import Settings

_START_S = 900
_POLL_S = 0.2
# Whose lost copies Ray starts again by itself.
_THERE = {ApplicationStatus.RUNNING, ApplicationStatus.DEPLOYING, ApplicationStatus.UNHEALTHY}
_log = logging.getLogger("laconic.cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where and how to serve."""

    address: str | None
    """Of the Ray cluster; None starts one of this machine alone."""
    host: str
    port: int
    """What the cluster's machines listen on, unless Ray Serve runs there already."""
    workers: int
    """Proxies."""
    level: int
    """Of the log."""


def run(read: Callable[[], Source], settings: Settings, cluster: Cluster) -> None:
    """Serve what `read` gives until SIGINT or SIGTERM; on SIGHUP, serve what it gives then.

    Raises `ConfigError` or `UnsharedStoreError` for what can't be served, ConnectionError where no cluster answers,
    and RuntimeError if Ray can't start an application.
    """
    source = read()
    require_shared_store(source.config(settings), cluster.workers)
    dashboard = False if cluster.address is None else None  # a cluster has its own
    ray.init(
        cluster.address or "local", namespace=NAME, logging_level=logging.WARNING, include_dashboard=dashboard
    )
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    try:
        with _heard(signals):
            serve.start(proxy_location="EveryNode", http_options={"host": cluster.host, "port": cluster.port})
            _deploy(source, settings, cluster)
            _log.info("%d proxies serve on port %d of the cluster's machines", cluster.workers, cluster.port)
            while signals.get() == signal.SIGHUP:
                _deploy_again(read, settings, cluster)
    except _EndedError:
        pass
    finally:
        try:
            _take_away()
        finally:
            ray.shutdown()


class _EndedError(BaseException):
    """A signal says that this is to end; no handler of Ray's may stop it."""


@contextlib.contextmanager
def _heard(signals: queue.SimpleQueue[int]) -> Iterator[None]:
    """Put SIGHUP into a queue; raise `_EndedError` for those that end a server, which may be waiting for Ray."""

    def end(*_: object) -> None:
        raise _EndedError

    handlers: dict[int, Callable[[int, object], None]] = {
        signal.SIGINT: end,
        signal.SIGTERM: end,
        signal.SIGHUP: lambda number, _: signals.put(number),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _deploy_again(read: Callable[[], Source], settings: Settings, cluster: Cluster) -> None:
    try:
        _deploy(read(), settings, cluster)
    except (ConfigError, UnsharedStoreError, OSError, ValueError, RuntimeError) as error:
        _log.error("configuration refused, the old one stays: %s", error)
    else:
        _log.info("configuration deployed again")


def _take_away() -> None:
    for name in [name for name in serve.status().applications if name == NAME] + list(_compressors()):
        serve.delete(name)


def _deploy(source: Source, settings: Settings, cluster: Cluster) -> None:
    """Start what isn't there, change the proxies over, and take away what is no longer used."""
    config = source.config(settings)
    require_shared_store(config, cluster.workers)
    used = {name: _application(name, c) for name, c in used_compressors(config).items()}
    there = _compressors()
    for name, application in used.items():
        if there.get(application) not in _THERE:
            try:
                _start(copies(name, config.compressors[name], cluster.level), application, None)
            except BaseException:
                serve.delete(application)
                raise
    handles = {
        name: serve.get_deployment_handle(deployment_name(name), application)
        for name, application in used.items()
    }
    _start(proxies(source, cluster.workers, cluster.level, handles), NAME, "/")
    for application in _compressors():
        if application not in used.values():
            serve.delete(application)


def _start(application: serve.Application, name: str, prefix: str | None) -> None:
    """Deploy, and wait until all copies run; RuntimeError if they can't, or there is no room for them for long."""
    target = serve.RunTarget(application, name=name, route_prefix=prefix)
    serve.run_many([target], wait_for_applications_running=False)
    until = time.monotonic() + _START_S
    while (known := serve.status().applications[name]).status != ApplicationStatus.RUNNING:
        if known.status == ApplicationStatus.DEPLOY_FAILED:
            reasons = (deployment.message for deployment in known.deployments.values())
            raise RuntimeError("\n".join((f"{name}: {known.message}", *reasons)))
        if time.monotonic() > until:
            raise RuntimeError(f"{name}: no room on the cluster, or not loaded, for {_START_S} s")
        time.sleep(_POLL_S)


def _application(name: str, compressor: Compressor) -> str:
    """Names what runs of a compressor; another configuration of the same one has another name."""
    digest = hashlib.sha256(compressor.model_dump_json().encode()).hexdigest()[:8]
    return f"{NAME}-{deployment_name(name)}-{digest}"


def _compressors() -> dict[str, ApplicationStatus]:
    """The applications on the cluster that are compressors of ours."""
    applications = serve.status().applications
    return {
        name: known.status for name, known in applications.items() if name.startswith(f"{NAME}-compressor-")
    }
