"""The live objects behind one configuration: engines, memory, upstreams; and the change to the next one.

A request takes the gateway that is current when it arrives and keeps it to its end.
"""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import compressors
from compressors.engines import Batcher, Engine, Several
from policies.break_even import token_s
from policies.config import Compressor, Config, StoreConfig
from policies.routes import Choice, choice_of
from policies.tokens import encoding_name, tokenizer
from proxy.credentials import CREDENTIAL_HEADERS
from proxy.fitness import require_fit_models
from proxy.ledger import Ledger, open_sink
from proxy.models import Models
from proxy.pipeline import CacheFloor, Order, Pipeline
from proxy.settings import Settings, sqlite_path, store_secret
from proxy.speed import ReadingSpeeds
from proxy.store.backend import Backend
from proxy.store.conversation import Terms
from proxy.store.decision import Keys
from proxy.store.memory import Memory
from proxy.upstream import UpstreamClient

# What changes neither which words stay nor which texts are looked at.
_WITHOUT_INFLUENCE = {
    "adopt", "break_even", "compressor", "deadline_ms", "extends", "holdout", "keep_cacheable", "mode",
    "on_failure", "recover",
}  # fmt: skip
_MOST_ORDERS = 1024
_LOADING = threading.Lock()
_LAST_BATCH_S = 20.0
_LAST_REQUESTS_S = 60.0
"""A request is planned long before; what streams longer needs no engine."""
_POLL_S = 0.05


@dataclass
class Gateway:
    """Everything that serves requests under one configuration."""

    config: Config
    client: UpstreamClient
    engines: dict[Compressor, Engine]
    memory: Memory
    keys: Keys
    pipeline: Pipeline
    models: Models
    speeds: ReadingSpeeds
    ledger: Ledger
    requests: int = 0
    """Those under way that are served under this configuration."""
    _orders: dict[tuple[str, str, float | None, bool], Order] = field(default_factory=dict)

    @functools.cached_property
    def choices(self) -> dict[str, Choice]:
        """What each route does with a request that asks for nothing else, by the route's name."""
        return {route.name: choice_of(route, self.config) for route in self.config.routes}

    @functools.cached_property
    def routes_by_model(self) -> bool:
        """Whether the route of a chat request depends on what is in its body."""
        return any(route.match.model for route in self.config.routes)

    @classmethod
    def open(cls, config: Config, settings: Settings, previous: Gateway | None = None) -> Gateway:
        """Start what `config` needs, keeping what `previous` already runs.

        Raises `SettingsError` where the store has no secret, `CompressionError` for a model folder that isn't
        there or a model that can't do what a policy asks for. Needs a running event loop.
        """
        require_fit_models(config)
        if previous is not None and previous.config.store == config.store:
            memory, keys, pipeline, ledger = (
                previous.memory,
                previous.keys,
                previous.pipeline,
                previous.ledger,
            )
        else:
            keys = Keys(store_secret(settings, config.store))
            memory = Memory(config.store.memory_bytes, _backend(config.store))
            pipeline = Pipeline(memory)
            ledger = Ledger(open_sink(config.store))
            ledger.start()
        running = previous.engines if previous is not None else {}
        wanted = {config.compressors[policy.compressor] for policy in config.policies.values()}
        for compressor in wanted:
            fingerprint_of(compressor)
        start = settings.engines or engine_of
        engines = {compressor: running.get(compressor) or start(compressor) for compressor in wanted}
        client = previous.client if previous is not None else UpstreamClient()
        speeds = previous.speeds if previous is not None else ReadingSpeeds()
        return cls(config, client, engines, memory, keys, pipeline, Models(config.models), speeds, ledger)

    async def loaded(self) -> None:
        """Wait until the price list is read and every model is loaded and warm, or has failed to."""
        engines = (engine.loaded() for engine in self.engines.values())
        await asyncio.gather(self.models.read(), asyncio.to_thread(_load_vocabularies), *engines)

    def why_not_ready(self) -> list[str]:
        """A line for all that can't work yet."""
        prices = [] if self.models.is_read else ["the models' prices: loading"]
        return prices + [
            f"{compressor.model}: {engine.load_error or 'loading'}"
            for compressor, engine in self.engines.items()
            if not engine.is_ready
        ]

    def order(self, choice: Choice, model: str, headers: Mapping[str, str]) -> Order:
        """How a request's texts are to be shortened; `choice` must have a policy."""
        encoding = encoding_name(model)
        known = (choice.policy_name, encoding, choice.rate, choice.route.tags)
        order = self._orders.get(known)
        if order is None:
            if len(self._orders) >= _MOST_ORDERS:  # callers choose rates
                self._orders.clear()
            order = self._orders[known] = self._new_order(choice, encoding)
        if choice.route.scope == "route":
            scope = (b"route", choice.route.name.encode())
        else:  # hashed like the rest: a credential itself is stored nowhere
            scope = (b"caller", repr([headers.get(name) for name in CREDENTIAL_HEADERS]).encode())
        facts = self.models.facts(model)
        worth = token_s(
            order.policy.break_even,
            facts.price.input_usd if facts is not None and facts.price is not None else None,
            self.speeds.seconds_per_token(choice.route.upstream, model),
            on_gpu=order.engine.on_gpu,
        )
        floor = CacheFloor()
        if order.policy.keep_cacheable and facts is not None and facts.caching.kind != "none":
            step = facts.caching.step_tokens if facts.caching.kind == "automatic" else 0
            floor = CacheFloor(facts.caching.minimum_tokens, step)
        return replace(order, scope=self.keys.within(*scope), token_s=worth, floor=floor)

    def _new_order(self, choice: Choice, encoding: str) -> Order:
        policy = choice.policy
        assert policy is not None
        compressor = self.config.compressors[policy.compressor]
        fields = policy.model_dump(mode="json", exclude=_WITHOUT_INFLUENCE)
        fields["protect"] = sorted(fields["protect"])
        named = [fields, fingerprint_of(compressor), encoding, choice.rate, choice.route.tags]
        digest = self.keys.within(b"terms").digest(json.dumps(named, sort_keys=True).encode())[:16]
        by_group = policy.documents is not None or self.config.asks(policy)
        return Order(
            policy,
            self.engines[compressor],
            self.keys,
            Terms(digest, by_group),
            encoding,
            choice.rate,
            choice.route.tags,
        )

    async def retire(self, successor: Gateway | None = None) -> None:
        """Stop what `successor` doesn't go on using.

        Before, the requests that are under way have a minute to end: they may still need it.
        """
        until = time.monotonic() + _LAST_REQUESTS_S
        while successor is not None and self.requests and time.monotonic() < until:  # noqa: ASYNC110 (requests end often, gateways seldom)
            await asyncio.sleep(_POLL_S)
        for compressor, engine in self.engines.items():
            if successor is None or successor.engines.get(compressor) is not engine:
                engine.close()
        if successor is None or successor.memory is not self.memory:
            await self.memory.close()
            await self.ledger.close()
        if successor is None:
            await self.client.close()
            await asyncio.gather(*(engine.ended(_LAST_BATCH_S) for engine in self.engines.values()))


def engine_of(compressor: Compressor) -> Engine:
    """What runs the compressor's model in this process, on each of its devices; needs a running event loop."""
    if compressor.device == "auto" or "," in compressor.device:
        devices = functools.partial(compressors.devices, compressor.device)
        return Several(functools.partial(_batcher, compressor), devices)
    return _batcher(compressor, compressor.device)


def _batcher(compressor: Compressor, device: str) -> Batcher:
    def load() -> compressors.Compressor:
        _load_vocabularies()
        return compressors.load(
            compressor.method,
            model=compressor.model,
            revision=compressor.revision,
            device=device,
            dtype=compressor.dtype,
            trust_remote_code=compressor.trust_remote_code,
            batch_tokens=compressor.batch_tokens,
        )

    return Batcher(load, max_queue_tokens=compressor.max_queue_tokens)


def _load_vocabularies() -> None:
    with _LOADING:  # models and the gateway ask at the same time, and one of them is to do the work
        for encoding in ("o200k_base", "cl100k_base"):  # half a second each, which no request should wait for
            tokenizer(encoding)


@functools.cache
def fingerprint_of(compressor: Compressor) -> str:
    """What the compressor's decisions are remembered under; raises `CompressionError` for a folder that isn't there."""
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
