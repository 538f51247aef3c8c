"""Callers that keep an engine busy, each waiting for its answer before it asks again, and what they see.

Knows engines by their protocol. Knows no models.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from compressors import Job
from compressors.engines import BatchStatistics, Engine, Shortened
from compressors.measuring import Arithmetic, MatmulRate, forget_peak, peak_bytes
from proxy.bench.outcomes import Batches, Latency, spread
from proxy.bench.plan import Load

_SMALL = Job(text="Nobody knows what the new bridge over the river will cost.")

_WARM_UP_SHARE = 0.25


@dataclass(slots=True)
class _Run:
    taken: int = 0
    answers: list[tuple[int, float, Shortened]] = field(default_factory=list)
    """Place of the job, seconds, answer."""
    ended: float = 0.0


async def measure(
    engine: Engine, load: Load, device: str, arithmetic: Arithmetic | None, rate: MatmulRate | None
) -> Latency:
    """Put `load` on `engine` until it is done or the time is up. Raises what the engine raises."""
    await _warm_up(engine, load)
    forget_peak(device)
    before, run = _counted(engine), _Run()
    started = time.perf_counter()
    callers = [asyncio.create_task(_call(engine, load, run)) for _ in range(load.concurrency)]
    try:
        done, waiting = await asyncio.wait(callers, timeout=load.limit_s, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for caller in callers:
            caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    for caller in done:
        caller.result()
    if waiting:
        await engine.submit(_SMALL)  # what was begun goes on to its end
    after = _counted(engine)
    batches = None if before is None or after is None else _difference(before, after)
    seconds = (run.ended or time.perf_counter()) - started
    return _outcome(load, run, seconds, batches, len(waiting), device, arithmetic, rate)


async def _warm_up(engine: Engine, load: Load) -> None:
    """Kernels are chosen and memory is taken at the first batch of its kind: one request, then as many as there are
    callers, where that takes little of the time."""
    started = time.perf_counter()
    await engine.submit(load.jobs[0])
    if (time.perf_counter() - started) * load.concurrency < load.limit_s * _WARM_UP_SHARE:
        wave = [load.jobs[place % len(load.jobs)] for place in range(load.concurrency)]
        done, waiting = await asyncio.wait([*map(engine.submit, wave)], timeout=load.limit_s)
        for answer in waiting:
            answer.cancel()
        for answer in done:
            answer.result()


async def _call(engine: Engine, load: Load, run: _Run) -> None:
    while run.taken < load.requests:
        place = run.taken % len(load.jobs)
        run.taken += 1
        started = time.perf_counter()
        answer = await engine.submit(load.jobs[place])
        run.ended = time.perf_counter()
        run.answers.append((place, run.ended - started, answer))


def _outcome(
    load: Load,
    run: _Run,
    seconds: float,
    batches: Batches | None,
    unfinished: int,
    device: str,
    arithmetic: Arithmetic | None,
    rate: MatmulRate | None,
) -> Latency:
    tokens = [load.tokens[place] for place, _, _ in run.answers]
    timings = [answer.timings for _, _, answer in run.answers]
    count = max(len(timings), 1)
    operations = 0.0 if arithmetic is None else arithmetic.flops(tokens)
    if arithmetic is not None and arithmetic.causal and batches is not None and tokens and not unfinished:
        operations *= batches.tokens / sum(tokens)  # some tokens are read more than once
    possible = None if rate is None or not operations else rate.flops_per_s
    in_model = batches.seconds if batches is not None and not unfinished else 0.0
    peak, whose = peak_bytes(device)
    return Latency(
        size=load.size,
        concurrency=load.concurrency,
        requests=len(run.answers),
        unfinished=unfinished,
        tokens=sum(tokens),
        seconds=seconds,
        latency=spread([each for _, each, _ in run.answers]),
        queue=spread([each.queue_s for each in timings]),
        tokenize_ms=1000 * sum(each.tokenize_s for each in timings) / count,
        forward_ms=1000 * sum(each.forward_s for each in timings) / count,
        select_ms=1000 * sum(each.select_s for each in timings) / count,
        batches=batches,
        utilisation=None if possible is None else operations / seconds / possible,
        model_utilisation=None if possible is None or not in_model else operations / in_model / possible,
        peak_bytes=peak if whose == "cuda" else None,
    )


def _counted(engine: Any) -> Batches | None:
    """What the engine counts of its batches since its start; None for one that keeps no count."""
    found: BatchStatistics | None = getattr(engine, "batches", None)
    if found is None:
        return None
    return Batches(
        count=found.count, tokens=found.tokens, budget_tokens=found.budget_tokens, seconds=found.seconds
    )


def _difference(before: Batches, after: Batches) -> Batches:
    return Batches(
        count=after.count - before.count,
        tokens=after.tokens - before.tokens,
        budget_tokens=after.budget_tokens - before.budget_tokens,
        seconds=after.seconds - before.seconds,
    )
