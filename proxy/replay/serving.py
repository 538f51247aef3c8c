"""The real proxy and its recording upstream, each on a loopback port, run by uvicorn in threads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from compressors import CompressionError
from policies.config import Config, Route
from proxy.app import Application
from proxy.credentials import key_hash
from proxy.gateway import fingerprint_of
from proxy.loopback import NotServingError, serving
from proxy.replay.recorder import Recorder
from proxy.settings import Settings

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Stage:
    """Where requests are sent, and where they arrive."""

    origin: str
    recorder: Recorder


@contextlib.contextmanager
def proxy_before_recorder(config: Config, settings: Settings) -> Iterator[Stage]:
    """Serve under `config`, but with nothing remembered from before and with the recorder for every upstream.

    Ready when entered: all models are loaded. Raises `NotServingError`.
    """
    _check_models(config)
    recorder = Recorder()
    with serving(recorder.app) as port:
        app = Application(_staged(config, port), settings)
        with serving(app) as own_port:
            _wait_until_ready(app)
            yield Stage(f"http://127.0.0.1:{own_port}", recorder)


def _staged(config: Config, port: int) -> Config:
    here = {"base_url": f"http://127.0.0.1:{port}/v1"}
    return config.model_copy(
        update={
            "upstreams": {name: each.model_copy(update=here) for name, each in config.upstreams.items()},
            "store": config.store.model_copy(update={"url": "memory:"}),
            "routes": tuple(map(_by_stand_in, config.routes)),
        }
    )


def _by_stand_in(route: Route) -> Route:
    """The route as it is for callers whose key is the hash of their real one: that is all a recording knows."""
    match = route.match.model_copy(update={"key": tuple(map(key_hash, route.match.key))})
    return route.model_copy(update={"match": match})


def _check_models(config: Config) -> None:
    for policy in config.policies.values():
        try:
            fingerprint_of(config.compressors[policy.compressor])
        except CompressionError as error:
            raise NotServingError(str(error)) from error


def _wait_until_ready(app: Application) -> None:
    while waiting := app.gateway.why_not_ready():
        if any(engine.load_error is not None for engine in app.gateway.engines.values()):
            raise NotServingError("; ".join(waiting))
        time.sleep(_POLL_S)
