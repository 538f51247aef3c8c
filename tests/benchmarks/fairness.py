"""How long a short text waits behind a long one: `python -m tests.benchmarks.fairness`.

A text of 8,000 tokens is on its way through a model when one of 100 comes; told is the short one's time in batches.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time

import click
from rich.console import Console

import compressors
from compressors import Compressor, Job
from compressors.engines import Batcher
from proxy.bench.texts import of_tokens, seeded
from tests.benchmarks.report import Table

BAR = 1.5
COLUMNS = (
    "model",
    "batch ms",
    "alone ms",
    "behind ms",
    "longest ms",
    "behind, in batches",
    "longest",
    "bar",
    "load",
)


async def _measure(model: str, device: str, rounds: int) -> Table:
    made: list[Compressor] = []

    def load() -> Compressor:
        made.append(compressors.load("llmlingua2", model, device))
        return made[0]

    engine = Batcher(load, max_queue_tokens=10**6)
    await engine.loaded()
    average = os.getloadavg()[0]

    def count(text: str) -> int:
        return len(text) // 5

    long = Job(text=of_tokens(8000, count, seeded(0)))
    short = Job(text=of_tokens(100, count, seeded(1)))

    async def timed() -> float:
        started = time.perf_counter()
        await engine.submit(short)
        return time.perf_counter() - started

    alone = statistics.median([await timed() for _ in range(rounds)])
    before = engine.batches.count, engine.batches.seconds
    await engine.submit(long)
    batch_s = (engine.batches.seconds - before[1]) / (engine.batches.count - before[0])
    behind = []
    for number in range(rounds):
        way = engine.submit(long)
        await asyncio.sleep((3 + number / rounds) * batch_s)  # somewhere within a batch
        behind.append(await timed())
        way.cancel()
        await asyncio.sleep(2 * batch_s)
    engine.close()
    await engine.ended(30)
    typical, longest = statistics.median(behind), max(behind)
    milliseconds = (f"{1000 * seconds:.0f}" for seconds in (batch_s, alone, typical, longest))
    shares = (f"{typical / batch_s:.2f}", f"{longest / batch_s:.2f}", f"{BAR}", f"{average:.1f}")
    return Table("A short text behind a long one", COLUMNS, [(model, *milliseconds, *shares)])


@click.command()
@click.option("--model", default="embedded", show_default=True, help="As in the configuration.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--rounds", default=12, show_default=True, type=click.IntRange(1))
def main(model: str, device: str, rounds: int) -> None:
    """Measure how long a short text waits behind a long one."""
    asyncio.run(_measure(model, device, rounds)).show(Console(width=140))


if __name__ == "__main__":
    main()
