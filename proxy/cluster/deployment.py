"""The proxy and its compressors as deployments of Ray Serve.

`build` is what a RayService or `serve run` imports. Owns the deployments' options; knows nothing of how a cluster is
started.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.serve.handle import DeploymentHandle
from starlette.types import ASGIApp

from policies.config import Compressor
from proxy import logs
from proxy.cluster.replica import CompressorReplica
from proxy.cluster.source import Source, require_shared_store, used_compressors
from proxy.settings import Settings

NAME = "laconic"
_PROXY_REQUESTS = 4096  # of one proxy at a time; `max_in_flight` bounds them with an answer of its own
_DRAIN_S = 30.0
_TRIES = 3  # to load a model
_QUIET = {"log_level": "WARNING", "enable_access_log": False}  # for Ray; requests have our own lines


class Proxy:
    """A copy of the proxy; takes its secrets from the environment of the machine that it runs on."""

    def __init__(self, source: Source, level: int, handles: dict[str, DeploymentHandle[Any]]) -> None:
        logs.configure(level)
        self._source = source
        self._handles = handles

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Called by Ray once the copy is made."""
        from proxy.app import Application
        from proxy.cluster.engine import RayEngines

        settings = Settings.from_environment()
        config = self._source.config(settings)
        engines = RayEngines(
            {compressor: self._handles[name] for name, compressor in used_compressors(config).items()}
        )
        return Application(config, replace(settings, engines=engines))


class Arguments(BaseModel):
    """What a RayService says under `args`."""

    model_config = ConfigDict(extra="forbid")

    config: Path
    """The configuration file, on the machine that deploys."""
    workers: int = Field(default=1, ge=1)
    """Proxies."""
    version: str = ""
    """Anything: where it changes, Ray has the file read again."""
    quiet: bool = False
    """Whether only warnings are logged."""


def build(arguments: Arguments) -> serve.Application:
    """All that a file describes as one application; raises `ConfigError`, `UnsharedStoreError`, OSError."""
    level = logging.WARNING if arguments.quiet else logging.INFO
    source = Source.read(arguments.config)
    config = source.config(Settings.from_environment())
    require_shared_store(config, arguments.workers)
    compressors = {
        name: copies(name, compressor, level) for name, compressor in used_compressors(config).items()
    }
    return proxies(source, arguments.workers, level, compressors)


def proxies(
    source: Source,
    workers: int,
    level: int,
    compressors: Mapping[str, serve.Application | DeploymentHandle[Any]],
) -> serve.Application:
    """So many proxies before `compressors`, which go by the names of `used_compressors`."""
    return serve.deployment(
        name="proxy",
        num_replicas=workers,
        max_ongoing_requests=_PROXY_REQUESTS,
        graceful_shutdown_timeout_s=_DRAIN_S,
        logging_config=_QUIET,
        max_surge_percent=100,  # the old ones serve until the new ones do
    )(serve.ingress()(Proxy)).bind(source, level, dict(compressors))


def copies(name: str, compressor: Compressor, level: int) -> serve.Application:
    """A compressor as its `ray` section wants it; without GPUs, it takes none that may be there."""
    ray = compressor.ray
    if not ray.num_gpus and compressor.device == "auto":
        compressor = compressor.model_copy(update={"device": "cpu"})
    number: dict[str, Any] = {"num_replicas": ray.num_replicas or 1}
    if ray.max_replicas is not None:
        number = {
            "autoscaling_config": {
                "min_replicas": ray.min_replicas or 1,
                "max_replicas": ray.max_replicas,
                "target_ongoing_requests": max(ray.max_ongoing_requests / 2, 1),
            }
        }
    return serve.deployment(
        name=deployment_name(name),
        ray_actor_options={"num_gpus": ray.num_gpus, "num_cpus": ray.num_cpus},
        max_ongoing_requests=ray.max_ongoing_requests,
        max_constructor_retry_count=_TRIES,
        logging_config=_QUIET,
        **number,
    )(CompressorReplica).bind(compressor, level)


def deployment_name(name: str) -> str:
    """What Ray calls a compressor of this name."""
    return "compressor-" + re.sub(r"[^\w.-]", "_", name)
