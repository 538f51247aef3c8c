"""Conversations through laconic turn by turn, in process: everything but sockets, and trouble on the way.

Owns what counts as a break of the prefix. Knows no traffic files and no figures.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from compressors import Compressor
from policies.config import Config, StoreConfig
from policies.policy import Policy
from policies.rules import BreakEven, Range, Target
from proxy.dialects import chat
from proxy.gateway import Gateway
from proxy.record import Record
from proxy.settings import Settings
from proxy.shortening import Shortening
from tests.benchmarks.trouble import REPLICAS, Script, Trouble, Troubled

_SETTINGS = Settings(secret=b"a secret for benchmarks only")
_NO_TIME_MS = 0.001
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """A turn that doesn't go on where an earlier one ended, although the original does."""

    turn: int
    message: int
    """The first that differs; -1 for the tools."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one conversation went."""

    troubles: Sequence[Trouble]
    breaks: Sequence[Break]
    shortened: int
    """Texts that went up shortened at least once."""


class Replicas:
    """An asynchronous context manager: workers that share a SQLite file in `folder`, and one compressor.

    The configuration's first route and its policy serve everything.
    """

    def __init__(
        self, config: Config, folder: Path, load: Callable[[], Compressor], *, seed: int = 0
    ) -> None:
        self._path = folder / "laconic.db"
        self._config = config
        self._chance = random.Random(seed)
        self._engine = Troubled(load, seed)
        self._configs: dict[tuple[float, bool, bool], Config] = {}

    async def __aenter__(self) -> Self:
        bare = self._config.model_copy(update={"policies": {}, "store": StoreConfig()})
        self._parked = Gateway.open(bare, _SETTINGS)  # whose engines all others take over
        for compressor in self._config.compressors.values():
            self._parked.engines[compressor] = self._engine
        await self._parked.loaded()
        self._gateways = [await self._started(Trouble()) for _ in range(REPLICAS)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for gateway in self._gateways:
            await gateway.retire(self._parked)
        await self._parked.retire()

    async def converse(self, turns: Sequence[Body], script: Script) -> Course:
        """Send a conversation's requests one after the other while `script` is played.

        Conversations of one caller that begin alike can't be told apart: whoever repeats one is sent what that was
        sent. So one that loses the store, or lives under several policies, has a caller of its own.
        """
        troubles = script(self._chance, len(turns))
        is_one_of_a_kind = any(trouble.store_lost or trouble.rates != 1.0 for trouble in troubles)
        caller = f"{self._chance.random()}" if is_one_of_a_kind else ""
        return await self.go_through(turns, troubles, caller)

    async def go_through(
        self, turns: Sequence[Body], troubles: Sequence[Trouble], caller: str = ""
    ) -> Course:
        """Send a conversation's requests, each with its trouble."""
        sent, shortened = [], set[int]()
        for body, trouble in zip(turns, troubles, strict=True):
            gateway = await self._befallen(trouble)
            source, changed = await _send(gateway, body, caller)
            sent.append(json.loads(source))
            shortened.update(changed)
        return Course(troubles, breaks(turns, sent), len(shortened))

    async def _befallen(self, trouble: Trouble) -> Gateway:
        """The worker that serves a turn, once all has happened that happens before it."""
        if trouble.store_lost:
            _empty(self._path)
        if trouble.forgets:
            for gateway in self._gateways:
                gateway.memory.clear()
        before = self._gateways[trouble.replica]
        after = await self._started(trouble, None if trouble.restarts else before)
        if after is not before:
            await before.retire(after)
        self._gateways[trouble.replica] = after
        self._engine.trouble = trouble
        return after

    async def _started(self, trouble: Trouble, previous: Gateway | None = None) -> Gateway:
        config = self._under(trouble)
        if previous is not None and previous.config is config:
            return previous
        gateway = Gateway.open(config, _SETTINGS, previous or self._parked)
        await gateway.models.read()
        return gateway

    def _under(self, trouble: Trouble) -> Config:
        """The configuration that is loaded at a turn; the same object for the same."""
        key = (trouble.rates, trouble.is_hurried, trouble.turned_away > 0)
        if key not in self._configs:
            policies = {
                name: _changed(policy, trouble.rates, hurried=trouble.is_hurried, weighs=key[2])
                for name, policy in self._config.policies.items()
            }
            store = StoreConfig(url=f"sqlite:///{self._path}")
            self._configs[key] = self._config.model_copy(update={"policies": policies, "store": store})
        return self._configs[key]


def _empty(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=5.0, isolation_level=None)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        if "decisions" in tables:  # which the first request makes
            connection.execute("DELETE FROM decisions")


def _changed(policy: Policy, factor: float, *, hurried: bool, weighs: bool) -> Policy:
    def changed(rule: Target | Range) -> Target | Range:
        return rule if rule.rate is None else rule.model_copy(update={"rate": rule.rate * factor})

    changes: dict[str, object] = {
        "ranges": tuple(map(changed, policy.ranges)),
        "targets": tuple(map(changed, policy.targets)),
    }
    if hurried:
        changes["deadline_ms"] = _NO_TIME_MS
    if weighs and policy.break_even.value == "off":  # or nothing would ever be turned away
        changes["break_even"] = BreakEven()
    return policy.model_copy(update=changes)


async def _send(gateway: Gateway, body: Body, caller: str) -> tuple[bytes, Iterable[int]]:
    """What goes up for a request, and the numbers of its texts that were changed."""
    source = json.dumps(body, ensure_ascii=False).encode()
    texts = chat.parse(source)
    choice = gateway.choices[gateway.config.routes[0].name]
    assert choice.policy is not None
    if choice.policy.looks_at_tools:
        texts = texts.with_tools()
    record = Record()
    shortening = Shortening(gateway, choice, texts, {"authorization": caller}, record)
    changed = await shortening.texts()
    assert not record.failure, record.failure
    await shortening.settle()
    await shortening.count()
    return (texts.with_texts(changed) if changed else source), changed


def breaks(originals: Sequence[Body], sent: Sequence[Body]) -> list[Break]:
    """The turns whose body doesn't extend an earlier turn's, although the original does.

    Compared is with the latest turn that the original extends; for most, with the one before.
    """
    original, found = [*map(_prompt, originals)], []
    prompts = [*map(_prompt, sent)]
    for turn in range(len(originals)):
        extended = (n for n in reversed(range(turn)) if _difference(original[n], original[turn]) is None)
        before = next(extended, turn)
        place = _difference(prompts[before], prompts[turn])
        if place is not None:
            found.append(Break(turn, place - 1))
    return found


def _prompt(body: Body) -> list[object]:
    """The tools and the messages as the model reads them: without marks, and every content a list of parts."""
    return [body.get("tools"), *map(_bare, body["messages"])]


def _bare(message: Body) -> Body:
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    unmarked = [{key: part[key] for key in part if key != "cache_control"} for part in parts]
    return {key: message[key] for key in message if key != "cache_control"} | {"content": unmarked}


def _difference(before: Sequence[object], after: Sequence[object]) -> int | None:
    """The first place where `after` isn't `before`, perhaps with more behind it."""
    return next((n for n, part in enumerate(before) if after[n : n + 1] != [part]), None)
