"""How often laconic breaks a provider's cached prefix: `python -m tests.benchmarks.breaks TRAFFIC…`.

Every conversation goes through every policy under every scenario, turn by turn. Ends with status 1 if a prefix
breaks that had to hold: none may, but one each time that the durable store is lost.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import multiprocessing
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

import compressors
from compressors import Compressor
from policies import builtin
from policies.config import Config, Route, Upstream, default_config
from policies.policy import Policy
from proxy.replay.reading import Traffic, TrafficError, read
from tests.benchmarks.report import Table
from tests.benchmarks.trouble import SCENARIOS, AnyWords, most_breaks
from tests.benchmarks.turns import Course, Replicas

URL = "http://127.0.0.1/v1"  # is never asked
COLUMNS = ("scenario", "traffic", "conversations", "turns", "breaks", "worst", "texts shortened", "s")
HARSH = {
    "targets": [{"role": [*("system", "developer", "user", "assistant", "tool", "function"), "tools"]}],
    "ranges": [{"rate": 0.5}],
    "json_layout": "tabular",
    "min_saved_tokens": 1,
    "keep_cacheable": False,
    "break_even": {"value": "off"},
    "deadline_ms": 60_000,
}
POLICIES = (*builtin.NAMES, "careful", "everything", "everything-asked")


def config_of(name: str) -> Config:
    """A route under one of `POLICIES`: built in, what is served without a file, or one that shortens all it can."""
    if not name.startswith("everything"):
        config = default_config(URL, None if name == "careful" else name)
        on_cpu = {key: each.model_copy(update={"device": "cpu"}) for key, each in config.compressors.items()}
        return config.model_copy(update={"compressors": on_cpu})
    asked = name.endswith("-asked")
    method = "longllmlingua" if asked else "llmlingua2"
    documents = {"documents": {"split": "auto"}, "strategy": {"order": "sort"}} if asked else {}
    return Config(
        upstreams={"default": Upstream(base_url=URL)},
        compressors={"default": {"method": method, "device": "cpu"}},
        policies={name: Policy.model_validate(HARSH | documents)},
        routes=(Route(name="default", upstream="default", policy=name),),
    )


def loader(config: Config, model: str) -> Callable[[], Compressor]:
    """What loads the compressor of a configuration: without a model, or the embedded one of its method."""
    if model == "fake":
        return AnyWords
    (compressor,) = config.compressors.values()
    return functools.partial(compressors.load, compressor.method, model=compressor.model, device="cpu")


@dataclass(frozen=True, slots=True)
class Row:
    """One file's conversations under one policy in one scenario."""

    policy: str
    scenario: str
    traffic: str
    courses: Mapping[str, Course]
    """By the conversation's name."""
    seconds: float

    @property
    def unexpected(self) -> Iterator[str]:
        """A line for each conversation with more breaks than losses of the store explain."""
        for name, course in self.courses.items():
            if len(course.breaks) > most_breaks(course.troubles):
                where = ", ".join(f"turn {b.turn} message {b.message}" for b in course.breaks)
                yield f"{self.policy}, {self.scenario}, {self.traffic}: {name}: {where}"

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        courses = self.courses.values()
        counts = [len(course.breaks) for course in courses]
        return (
            self.scenario,
            self.traffic,
            f"{len(courses):,}",
            f"{sum(len(course.troubles) for course in courses):,}",
            f"{sum(counts):,}",
            f"{max(counts, default=0)}",
            f"{sum(course.shortened for course in courses):,}",
            f"{self.seconds:.1f}",
        )


async def run(policy: str, scenario: str, traffic: Traffic, model: str = "fake") -> Row:
    """All of a file's conversations, one after the other, on replicas that begin with an empty store."""
    started = time.perf_counter()
    seed = zlib.crc32(f"{policy} {scenario} {traffic.name}".encode())
    config = config_of(policy)
    with tempfile.TemporaryDirectory(prefix="laconic-breaks-") as folder:
        async with Replicas(config, Path(folder), loader(config, model), seed=seed) as replicas:
            courses = {
                each.name: await replicas.converse([r.body for r in each.requests], SCENARIOS[scenario])
                for each in traffic.conversations
            }
    return Row(policy, scenario, traffic.name, courses, time.perf_counter() - started)


_read = functools.cache(read)


def _measured(policy: str, scenario: str, path: Path, limit: int | None, model: str) -> Row:
    """The same in a process of its own."""
    logging.getLogger("laconic").setLevel(logging.CRITICAL)  # failures are meant
    return asyncio.run(run(policy, scenario, _read(path, limit), model))


def table(policy: str, rows: Sequence[Row]) -> Table:
    """All that was measured under a policy."""
    return Table(f"Prefix breaks under {policy}", COLUMNS, [row.cells for row in rows])


@click.command()
@click.argument("files", metavar="TRAFFIC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", "policies", type=click.Choice(POLICIES), multiple=True, default=POLICIES)
@click.option("--scenario", "scenarios", type=click.Choice([*SCENARIOS]), multiple=True, default=[*SCENARIOS])
@click.option("--limit", type=click.IntRange(1), help="Only so many conversations of each file.")
@click.option("--model", type=click.Choice(["fake", "embedded"]), default="fake", show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes that share the work.")
def main(
    files: Sequence[Path],
    policies: Sequence[str],
    scenarios: Sequence[str],
    limit: int | None,
    model: str,
    jobs: int,
) -> None:
    """Count the prefixes that break although the original ones don't."""
    console = Console(width=110)
    unexpected: list[str] = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        pending = {
            policy: [
                pool.submit(_measured, policy, scenario, path, limit, model)
                for scenario in scenarios
                for path in files
            ]
            for policy in policies
        }
        for policy, work in pending.items():
            try:
                rows = list(_with_progress(work, policy, console))
            except TrafficError as error:
                pool.shutdown(cancel_futures=True)
                raise click.ClickException(str(error)) from error
            table(policy, rows).show(console)
            console.print()
            unexpected += [line for row in rows for line in row.unexpected]
    for line in unexpected:
        console.print(line, markup=False)
    console.print(f"{len(unexpected)} conversations with prefixes that had to hold and broke")
    if unexpected:
        raise SystemExit(1)


def _with_progress(work: Sequence[Future[Row]], policy: str, console: Console) -> Iterator[Row]:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for row in progress.track(work, description=policy):
            yield row.result()


if __name__ == "__main__":
    main()
