"""The ledger in Redis (6.2 or later), shared by replicas: one hash per bucket, one field per series."""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncIterator, Iterator
from itertools import groupby, islice

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from proxy.ledger.counts import BUCKET_S, Counts, Dimensions, Row, Series
from proxy.ledger.sink import Batch, SinkError

_PREFIX = "laconic:ledger:1:"
# One field holds all sums of a series as "1 20 3": a field for each would take ten times the memory. The last
# batch of each writer stands beside them, for each part of it, so that one whose answer was lost isn't added again.
_ADD = """
local seen = redis.call('HGET', KEYS[1], ARGV[2])
if seen and tonumber(seen) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
for i = 4, #ARGV, 2 do
  local known, sums = redis.call('HGET', KEYS[1], ARGV[i]), {}
  for number in string.gmatch(known or '', '%S+') do sums[#sums + 1] = tonumber(number) end
  local at = 0
  for number in string.gmatch(ARGV[i + 1], '%S+') do
    at = at + 1
    sums[at] = (sums[at] or 0) + tonumber(number)
  end
  for j = 1, #sums do sums[j] = string.format('%.0f', sums[j]) end
  redis.call('HSET', KEYS[1], ARGV[i], table.concat(sums, ' '))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
_WRITER = "writer "
_PIECE_ROWS = 100
_READ_AT_ONCE = 256


class RedisSink:
    """One pipelined round trip a batch, with a script call for each part; more patient than requests could be."""

    def __init__(self, url: str, retention_s: int, timeout_s: float = 2.0) -> None:
        self._retention_s = retention_s
        self._client = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            protocol=3,
            decode_responses=True,
            retry=Retry(NoBackoff(), 1),  # for a connection that broke meanwhile
        )

    async def write(self, batch: Batch) -> None:
        """Add a batch, but for the parts that are there already."""
        pipeline = self._client.pipeline(transaction=False)
        for piece, (bucket, rows) in enumerate(_pieces(batch)):
            writer = (f"{_WRITER}{batch.writer} {piece}", batch.number)
            fields = [word for row in rows for word in _field(row)]
            pipeline.eval(_ADD, 1, f"{_PREFIX}{bucket}", self._retention_s, *writer, *fields)
        await pipeline.execute()

    async def read(self, since_s: float, until_s: float) -> AsyncIterator[Row]:
        """The rows in a span of time, as far back as any are kept; raises `SinkError`."""
        first = int(max(since_s, time.time() - self._retention_s - BUCKET_S)) // BUCKET_S * BUCKET_S
        buckets = range(first, math.ceil(until_s), BUCKET_S)
        for start in range(0, len(buckets), _READ_AT_ONCE):
            some = buckets[start : start + _READ_AT_ONCE]
            pipeline = self._client.pipeline(transaction=False)
            for bucket in some:
                pipeline.hgetall(f"{_PREFIX}{bucket}")
            try:
                found = await pipeline.execute()
            except (RedisError, OSError) as error:
                raise SinkError(str(error)) from error
            for bucket, fields in zip(some, found, strict=True):
                for row in _rows(bucket, fields):
                    yield row

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _pieces(batch: Batch) -> Iterator[tuple[int, list[Row]]]:
    """The batch by bucket, and in parts that don't keep others waiting; the same ones at each try."""
    for bucket, rows in groupby(sorted(batch.counts.items()), key=lambda row: row[0].bucket):
        while part := list(islice(rows, _PIECE_ROWS)):
            yield bucket, part


def _field(row: Row) -> tuple[str, str]:
    (_, dimensions), counts = row
    return json.dumps(dimensions), " ".join(map(str, counts))


def _rows(bucket: int, fields: dict[str, str]) -> Iterator[Row]:
    for name, sums in fields.items():
        if not name.startswith(_WRITER):
            counts = map(int, sums.split()[: len(Counts._fields)])  # a later version may keep more
            yield Series(bucket, Dimensions(*json.loads(name))), Counts(*counts)
