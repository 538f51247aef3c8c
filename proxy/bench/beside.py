"""The llmlingua package and laconic on the same texts with the same weights, turn by turn in one process.

Knows the package by its calls, laconic by its public face. Owns what is compared with what: the parity mode
decides as the package does, so it tells whether words are decided alike; the default mode is what the proxy runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from compressors import Job, Tokenizer
from compressors.engines import DeviceThread, Engine
from proxy.bench.outcomes import Beside, Side
from proxy.bench.plan import DOCUMENT_TOKENS, DOCUMENTS, RATE, documents_of, job_of
from proxy.bench.texts import QUESTION, Count, chat_messages, of_tokens, seeded

PACKAGE, PARITY, DEFAULT = "llmlingua 0.2.2", "laconic, parity", "laconic, default"
CALLERS = 64
"""Of the stream of messages, for laconic; the package knows no callers."""
_QUESTIONED = {"condition_compare": True, "reorder_context": "sort", "rank_method": "longllmlingua"}


@dataclass(frozen=True, slots=True)
class Case:
    """Texts that all sides shorten, each on its own."""

    name: str
    prompts: Sequence[Sequence[str]]
    """The documents of each; mostly one."""
    options: Mapping[str, Any]
    """The package's parameters."""
    rounds: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is compared."""

    method: str
    package: Any
    parity: Any
    engine: Engine
    tokenizer: Tokenizer
    thread: DeviceThread
    """The engine's, on which all compute."""


def cases(method: str, sizes: Sequence[int], messages: int, rounds: int, count: Count) -> list[Case]:
    """One for each size, then a stream of messages; for LongLLMLingua, documents with a question in place of both."""
    options: dict[str, Any] = {"rate": RATE}
    if method == "llmlingua2":
        options["return_word_label"] = True
    if method == "longllmlingua":
        options |= {"question": QUESTION, **_QUESTIONED}
        return [Case(f"{DOCUMENTS}×{DOCUMENT_TOKENS}", [documents_of(count, 0)], options, rounds)]
    draw = seeded(0)
    found = [Case(str(size), [[of_tokens(size, count, draw)]], options, rounds) for size in sizes]
    if method == "llmlingua2" and messages:
        stream = [[text] for text in chat_messages(messages, count)]
        found.append(Case(f"{messages} messages", stream, options, 1))
    return found


async def compare(sides: Sides, case: Case, count: Count, limit_s: float, device: str) -> Beside:
    """Time all sides on `case`, as many rounds as are asked for and fit into the time, at least one.

    What the package raises is raised; it fails for some texts and tokenizers.
    """
    jobs = [_job(sides, documents) for documents in case.prompts]
    theirs: list[dict[str, Any]] = []
    ours: list[Any] = []

    def package() -> None:
        theirs[:] = [
            sides.package.compress_prompt(list(documents), **case.options) for documents in case.prompts
        ]

    def parity() -> None:
        ours[:] = [
            sides.parity.compress_prompt(list(documents), sides.tokenizer, **case.options)
            for documents in case.prompts
        ]

    def together() -> None:
        for start in range(0, len(jobs), CALLERS):
            sides.parity.compress(jobs[start : start + CALLERS])

    async def on_thread(run: Callable[[], None]) -> None:
        sides.thread.run(run)

    async def default() -> None:
        places = asyncio.Semaphore(CALLERS)

        async def one(job: Job) -> None:
            async with places:
                await sides.engine.submit(job)

        await asyncio.gather(*map(one, jobs))

    turns: dict[str, Callable[[], Awaitable[None]]] = {
        PACKAGE: partial(on_thread, package),
        PARITY: partial(on_thread, parity if len(jobs) == 1 else together),
        DEFAULT: default,
    }
    if len(jobs) > 1:
        await on_thread(parity)
    grown = {name: await _warm_up(run, device) for name, run in turns.items()}
    alike = _alike(theirs, ours)
    seconds = await _turns(turns, case.rounds, limit_s)
    slowest = median(seconds[PACKAGE])
    return Beside(
        case=case.name,
        tokens=sum(count(text) for documents in case.prompts for text in documents),
        sides=tuple(
            Side(name=name, seconds=tuple(found), times=slowest / median(found), grown_bytes=grown[name])
            for name, found in seconds.items()
        ),
        **alike,
    )


async def _warm_up(run: Callable[[], Awaitable[None]], device: str) -> int | None:
    """Do it once; the GPU memory that it took."""
    from compressors.measuring import forget_peak, grown_bytes

    before = forget_peak(device)
    await run()
    return grown_bytes(device, before)


async def _turns(
    turns: Mapping[str, Callable[[], Awaitable[None]]], rounds: int, limit_s: float
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    until = time.perf_counter() + limit_s
    for number in range(rounds):
        if number and time.perf_counter() > until:
            break
        for name, run in turns.items():
            started = time.perf_counter()
            await run()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def _job(sides: Sides, documents: Sequence[str]) -> Job:
    return job_of(sides.method, "\n\n".join(documents), sides.tokenizer)


def _alike(theirs: Sequence[Mapping[str, Any]], ours: Sequence[Any]) -> dict[str, Any]:
    """How far the parity mode's results are the package's."""
    same = [
        one["compressed_prompt"] == other.compressed_prompt for one, other in zip(theirs, ours, strict=True)
    ]
    found: dict[str, Any] = {"texts_alike": sum(same) / len(same)}
    words = alike = 0
    for one, other in zip(theirs, ours, strict=True):
        pairs = _labels(one.get("fn_labeled_original_prompt")), _labels(other.fn_labeled_original_prompt)
        if not pairs[0]:
            continue
        if [word for word, _ in pairs[0]] != [word for word, _ in pairs[1]]:
            raise ValueError("the parity mode found other words than the package")
        words += len(pairs[0])
        alike += sum(a == b for a, b in zip(*pairs, strict=True))
    return {**found, "words": words, "words_alike": alike / words} if words else found


def _labels(labelled: str | None) -> list[tuple[str, str]]:
    """Word and label of each entry, by the package's default separators."""
    entries = (labelled or "").split("\t\t|\t\t") if labelled else []
    return [(word, label) for word, _, label in (entry.rpartition(" ") for entry in entries)]
