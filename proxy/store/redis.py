"""Decisions in Redis (6.2 or later), shared by replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis.asyncio import BlockingConnectionPool, Redis

_PREFIX = b"laconic:1:"


class RedisBackend:
    """One pipelined round trip a call; impatient, because a slow store must not slow a request."""

    name = "redis"

    def __init__(self, url: str, ttl_s: int, timeout_s: float = 0.25) -> None:
        self._ttl_s = ttl_s
        pool = BlockingConnectionPool.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            protocol=3,
            max_connections=64,
            timeout=timeout_s,
        )
        self._client = Redis.from_pool(pool)

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of `keys`; each hit lives for another `ttl_s`."""
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.getex(_PREFIX + key, ex=self._ttl_s)
        return list(await pipeline.execute())

    async def settle(self, items: Mapping[bytes, bytes], newer: Mapping[bytes, bytes]) -> list[bytes]:
        """Set `newer`, and of `items` what is absent; read what is there."""
        pipeline = self._client.pipeline(transaction=False)
        for key, value in items.items():
            pipeline.set(_PREFIX + key, value, ex=self._ttl_s, nx=True)
            pipeline.get(_PREFIX + key)
        for key, value in newer.items():
            pipeline.set(_PREFIX + key, value, ex=self._ttl_s)
        written = (await pipeline.execute())[1 : 2 * len(items) : 2]
        return [
            value if found is None else found for value, found in zip(items.values(), written, strict=True)
        ]

    async def close(self) -> None:
        """Close the connection pool."""
        await self._client.aclose()
