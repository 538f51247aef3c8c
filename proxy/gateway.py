"""The live objects behind one configuration: engines, memory, upstreams; and the change to the next one.

A request takes the gateway that is current when it arrives and keeps it to its end.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import compressors
from compressors.batcher import Batcher
from policies.config import Compressor, Config, StoreConfig
from policies.routes import Choice, find_route
from policies.tokens import encoding_name
from proxy.pipeline import Order, Pipeline
from proxy.settings import Settings, sqlite_path, store_secret
from proxy.store.backend import Backend
from proxy.store.decision import Keys
from proxy.store.memory import Memory
from proxy.upstream import UpstreamClient

_CREDENTIAL_HEADERS = ("authorization", "api-key", "x-api-key")
# What changes neither which words stay nor which texts are looked at.
_WITHOUT_INFLUENCE = {"compressor", "mode", "deadline_ms", "on_failure"}


@dataclass(slots=True)
class Gateway:
    """Everything that serves requests under one configuration."""

    config: Config
    client: UpstreamClient
    engines: dict[Compressor, Batcher]
    memory: Memory
    keys: Keys
    pipeline: Pipeline
    _parameters: dict[tuple[str, str, float | None, bool], bytes] = field(default_factory=dict)

    def reads_chats(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a chat request must be looked into, to find its route or to shorten it."""
        routes = self.config.routes
        if any(route.match.model for route in routes):
            return True
        route = find_route(routes, path, headers)
        return route is not None and (route.policy is not None or "policy" in route.overrides)

    @classmethod
    def open(cls, config: Config, settings: Settings, previous: Gateway | None = None) -> Gateway:
        """Start what `config` needs, keeping what `previous` already runs.

        Raises `SettingsError` where the store has no secret. Needs a running event loop.
        """
        if previous is not None and previous.config.store == config.store:
            memory, keys, pipeline = previous.memory, previous.keys, previous.pipeline
        else:
            keys = Keys(store_secret(settings, config.store))
            memory = Memory(config.store.memory_bytes, _backend(config.store))
            pipeline = Pipeline(memory, keys)
        running = previous.engines if previous is not None else {}
        wanted = {config.compressors[policy.compressor] for policy in config.policies.values()}
        engines = {compressor: running.get(compressor) or _engine(compressor) for compressor in wanted}
        client = previous.client if previous is not None else UpstreamClient()
        return cls(config, client, engines, memory, keys, pipeline)

    async def loaded(self) -> None:
        """Wait until every model is loaded and warm, or has failed to."""
        await asyncio.gather(*(engine.loaded() for engine in self.engines.values()))

    def why_not_ready(self) -> list[str]:
        """A line for each engine that can't work yet."""
        return [
            f"{compressor.model}: {engine.load_error or 'loading'}"
            for compressor, engine in self.engines.items()
            if not engine.is_ready
        ]

    def order(self, choice: Choice, model: str, headers: Mapping[str, str]) -> Order:
        """How a request's texts are to be shortened; `choice` must have a policy."""
        policy = choice.policy
        assert policy is not None
        compressor = self.config.compressors[policy.compressor]
        encoding = encoding_name(model)
        known = (choice.policy_name, encoding, choice.rate, choice.route.tags)
        parameters = self._parameters.get(known)
        if parameters is None:
            fields = policy.model_dump(mode="json", exclude=_WITHOUT_INFLUENCE)
            fields["protect"] = sorted(fields["protect"])
            named = {"policy": fields, "model": _fingerprint(compressor), "more": known[1:]}
            parameters = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).digest()
            self._parameters[known] = parameters
        scope = self.keys.digest(b"route", choice.route.name.encode())
        if choice.route.scope == "caller":
            credentials = "\0".join(headers.get(name, "") for name in _CREDENTIAL_HEADERS)
            scope = self.keys.digest(b"caller", credentials.encode())
        return Order(
            policy, self.engines[compressor], scope, parameters, encoding, choice.rate, choice.route.tags
        )

    async def retire(self, successor: Gateway | None = None) -> None:
        """Stop what `successor` doesn't go on using; requests that still run are served to their end."""
        for compressor, engine in self.engines.items():
            if successor is None or successor.engines.get(compressor) is not engine:
                engine.close()
        if successor is None or successor.memory is not self.memory:
            await self.memory.close()
        if successor is None:
            await self.client.close()


def _engine(compressor: Compressor) -> Batcher:
    load = functools.partial(
        compressors.load,
        compressor.method,
        model=compressor.model,
        revision=compressor.revision,
        device=compressor.device,
        dtype=compressor.dtype,
        trust_remote_code=compressor.trust_remote_code,
    )
    return Batcher(load, batch_tokens=compressor.batch_tokens, max_queue_tokens=compressor.max_queue_tokens)


@functools.cache
def _fingerprint(compressor: Compressor) -> str:
    return compressors.fingerprint(
        compressor.method, model=compressor.model, dtype=compressor.dtype, revision=compressor.revision
    )


def _backend(store: StoreConfig) -> Backend | None:
    path = sqlite_path(store)
    if path is not None:
        from proxy.store.sqlite import SqliteBackend

        return SqliteBackend(Path(path), store.ttl_s)
    if store.url != "memory:":
        from proxy.store.redis import RedisBackend

        return RedisBackend(store.url, store.ttl_s)
    return None
