"""Carries out a plan, part by part: what fails is noted, and the next part begins.

Owns models in memory and the order of parts. Knows no output.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import compressors
from compressors import Compressor, Job
from compressors.engines import Batcher, on_passing_thread
from proxy.bench.counting import Counter, counter
from proxy.bench.outcomes import Measured
from proxy.bench.plan import Plan, job_of, loads
from proxy.bench.texts import chat_messages

_QUEUE_TOKENS = 10**9
_LAST_BATCH_S = 60.0
_LONGEST_TEXT = 1000
"""Tokens of texts whose decisions are compared; some are longer than a window, most are not."""
Say = Callable[[str], None]


async def measured(plan: Plan, model: str, found: list[Measured], say: Say, save: Callable[[], None]) -> None:
    """Measure `model` as `plan` says; what is known is added to `found` as it comes, and `save` called then."""
    from compressors.measuring import usual_method

    method = plan.method or usual_method(model)
    if plan.beside and method != "llmlingua2" and model.startswith("shape:") and "@" not in model:
        model += "@bytes"  # the package fails where a tokenizer doesn't give its text back as it was
    outcome = Measured(model=model, method=method, device=plan.device, dtype=plan.dtype)
    found.append(outcome)
    billed, outcome.counted_in = counter()
    with _noted(outcome, "the machine", save):
        say("matrix products")
        _measure_machine(plan, outcome)
    with _noted(outcome, "the model", save):
        async with _running(plan, model, outcome, say) as running:
            await _measure_model(plan, running, billed, outcome, say, save)
        if plan.flips:
            with _noted(outcome, "flips", save):
                _measure_flips(plan, outcome, running, billed, say)


@dataclass(frozen=True, slots=True)
class _Running:
    """A model at work."""

    compressor: Compressor
    engine: Any

    def count(self, text: str) -> int:
        """The model's tokens of `text`; at rate 1 the model itself isn't asked."""
        return self.compressor.compress([Job(text=text, rate=1.0)])[0].original_tokens


@contextmanager
def _noted(outcome: Measured, part: str, save: Callable[[], None]) -> Iterator[None]:
    """What fails in `part` is noted in place of its figures."""
    try:
        yield
    except Exception as error:  # whatever a model, a driver or the package raises
        text = (
            str(error)
            if isinstance(error, compressors.CompressionError)
            else f"{type(error).__name__}: {error}"
        )
        outcome.errors.append({"part": part, "error": text[:1000]})
    finally:
        save()


@asynccontextmanager
async def _running(plan: Plan, model: str, outcome: Measured, say: Say) -> AsyncIterator[_Running]:
    """The model behind the engine that the proxy uses."""
    loaded: list[Compressor] = []

    def load() -> Compressor:
        loaded.append(_load(plan, outcome.method, model, plan.dtype))
        return loaded[0]

    say(f"loading {model}")
    started = time.perf_counter()
    engine = Batcher(load, max_queue_tokens=_QUEUE_TOKENS)
    try:
        await engine.loaded()
        if engine.load_error is not None:
            raise engine.load_error
        outcome.load_s = time.perf_counter() - started
        yield _Running(loaded[0], engine)
    finally:
        engine.close()
        await engine.ended(_LAST_BATCH_S)


def _load(plan: Plan, method: str, model: str, dtype: str | None, compat: str | None = None) -> Compressor:
    return compressors.load(
        method,
        model=model,
        device=plan.device,
        dtype=dtype,
        compat=compat,
        threads=plan.threads,
        batch_tokens=plan.batch_tokens,
    )


def _measure_machine(plan: Plan, outcome: Measured) -> None:
    from compressors.measuring import arithmetic, matmul_rate, usual_dtype

    outcome.dtype = plan.dtype or usual_dtype(outcome.method, plan.device)
    rate = partial(matmul_rate, plan.device, outcome.dtype, plan.threads)
    outcome.matmul = asdict(on_passing_thread(rate))
    numbers = arithmetic(outcome.method, outcome.model)
    outcome.parameters, outcome.multiplied_parameters = numbers.parameters, numbers.multiplied


async def _measure_model(
    plan: Plan, running: _Running, billed: Counter, outcome: Measured, say: Say, save: Callable[[], None]
) -> None:
    from compressors.measuring import MatmulRate, arithmetic, peak_bytes
    from proxy.bench.latency import measure

    rate: Any = None if outcome.matmul is None else MatmulRate(**outcome.matmul)  # type: ignore[arg-type]
    numbers = None if outcome.parameters is None else arithmetic(outcome.method, outcome.model)
    for load in loads(plan, outcome.method, running.count, billed):
        if not plan.latency:
            break
        say(f"{load.size} tokens, {load.concurrency} callers")
        with _noted(outcome, f"{load.size} tokens, {load.concurrency} callers", save):
            outcome.latency.append(await measure(running.engine, load, plan.device, numbers, rate))
    peak, outcome.peak_of = peak_bytes(plan.device)
    outcome.peak_bytes = max([peak, *(each.peak_bytes or 0 for each in outcome.latency)])
    if plan.beside:
        with _noted(outcome, "beside llmlingua", save):
            await _measure_beside(plan, running, billed, outcome, say, save)


async def _measure_beside(
    plan: Plan, running: _Running, billed: Counter, outcome: Measured, say: Say, save: Callable[[], None]
) -> None:
    from compressors.measuring import package
    from proxy.bench.beside import Sides, cases, compare

    say("loading the llmlingua package")
    method, model = outcome.method, outcome.model
    theirs = on_passing_thread(
        partial(package, method, model, encoding=billed, device=plan.device, dtype=plan.dtype)
    )
    parity = on_passing_thread(partial(_load, plan, method, model, plan.dtype, "0.2.2"))
    sides = Sides(method, theirs, parity, running.engine, billed, running.engine.thread)
    for case in cases(method, plan.sizes, plan.messages, plan.rounds, running.count):
        say(f"beside llmlingua: {case.name}")
        with _noted(outcome, f"beside llmlingua, {case.name}", save):
            outcome.beside.append(await compare(sides, case, running.count, plan.limit_s, plan.device))


def _measure_flips(plan: Plan, outcome: Measured, running: _Running, billed: Counter, say: Say) -> None:
    from proxy.bench.flips import flips

    texts = chat_messages(plan.flips, running.count, plan.seed, longest=_LONGEST_TEXT)
    jobs = [job_of(outcome.method, text, billed, word_labels=True) for text in texts]
    load = partial(_reload, plan, outcome)
    outcome.flips += flips(jobs, running.compressor, load, plan.other_dtypes, say)


def _reload(plan: Plan, outcome: Measured, dtype: str | None) -> Compressor:
    return _load(plan, outcome.method, outcome.model, dtype or plan.dtype)
