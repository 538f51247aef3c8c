"""What laconic adds to requests that it leaves alone: `python -m tests.benchmarks.turned_away`.

A real server, one connection to each side, one request at a time, the sides in turn; each request's text is new, so
that no memory helps, but for the remembered ones. The server has one core to itself; client and upstream share another.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
import yaml
from rich.console import Console
from rich.progress import track

from tests.benchmarks import bodies
from tests.benchmarks.connection import Connection
from tests.benchmarks.processes import Server, UnavailableError, free_port
from tests.benchmarks.report import Table
from tests.benchmarks.sides import program

BODY_BYTES = 32 * 1024
BAR_MS = 1.0
_USER = [{"role": "user"}]
_RANGES = {"ranges": [{"rate": 0.5}]}
POLICIES = {
    "not worth": _RANGES | {"targets": _USER},
    "role": _RANGES | {"targets": [{"role": "tool"}]},
    "off": _RANGES | {"targets": [{"role": "user", "mode": "off"}]},
    "remembered": _RANGES
    | {"targets": [{"role": ["user", "assistant"]}], "adopt": "all", "break_even": {"value": "off"}}
    | {"deadline_ms": 600_000},
}
SKIPPED = {"not worth": "not_worth=1", "role": "role=1", "off": "off=1"}
"""What `x-laconic-skipped` must say."""
GIVEN = ("direct", "passed through", *POLICIES)
COLUMNS = ("store", "case", "requests", "p50 ms", "p99 ms", "added p50", "added p99", "loop p50", "load")
"""`loop` is the time that laconic's event loop was on its core, in ms: what would be added to it on an idle machine."""


def config(upstream: int, store: str) -> dict[str, object]:
    """A route for each case; the model costs next to nothing, so that no saving is worth it."""
    routes: list[dict[str, str]] = [
        {"name": _slug(name), "path": f"/{_slug(name)}/v1", "upstream": "mock", "policy": _slug(name)}
        for name in POLICIES
    ]
    return {
        "upstreams": {"mock": {"base_url": f"http://127.0.0.1:{upstream}/v1"}},
        "policies": {_slug(name): policy for name, policy in POLICIES.items()},
        "models": {bodies.MODEL: {"input_usd_per_million": 1e-9}},
        "routes": [*routes, {"name": "through", "path": "/passed-through/v1", "upstream": "mock"}],
        "store": store,
    }


def _slug(name: str) -> str:
    return name.replace(" ", "-")


class Bodies:
    """Requests of 32 KB, each with a text that nobody has seen, and one conversation that is always the same."""

    def __init__(self) -> None:
        self._number = 0
        self._plain = bodies.chat(BODY_BYTES)
        self._place = self._plain.index(b'"content": "') + len(b'"content": "')
        self.remembered = bodies.chat(BODY_BYTES, messages=8)

    def fresh(self) -> bytes:
        """The next body."""
        self._number += 1
        mark = f"{self._number:012d} ".encode()
        return self._plain[: self._place] + mark + self._plain[self._place + len(mark) :]


@dataclass(frozen=True, slots=True)
class Result:
    """All answers to one case."""

    store: str
    case: str
    waits_ms: Sequence[float]
    loop_ms: Sequence[float]
    """What laconic's event loop worked in these times."""
    load_average: float

    @property
    def p50_ms(self) -> float:
        """The median wait."""
        return statistics.median(self.waits_ms)

    @property
    def p99_ms(self) -> float:
        """What 99 of 100 waits don't exceed."""
        return statistics.quantiles(self.waits_ms, n=100)[98]


def check(case: str, head: bytes) -> None:
    """Raise `UnavailableError` unless the answer was to what `case` says."""
    lines = head.decode("latin-1").split("\r\n")
    found = dict(line.lower().split(": ", 1) for line in lines[1:])
    skipped, saved = found.get("x-laconic-skipped", ""), int(found.get("x-laconic-saved-tokens", "0"))
    right = skipped == SKIPPED.get(case, "") and (saved > 0) == (case == "remembered")
    if " 200 " not in lines[0] or not right:
        raise UnavailableError(f"{case}: answered {lines[0]!r}, skipped {skipped!r}, {saved} tokens saved")


def measure(store: str, ports: dict[str, int], pid: int, requests: int, pause_s: float) -> Iterator[Result]:
    """Send so many requests to each case, the cases in turn; `pause_s` passes before each.

    `pid` is that of laconic, whose main thread is the event loop.
    """
    source = Bodies()
    _shorten(source.remembered, ports["remembered"])
    connections = {case: Connection(port, _prefix(case)) for case, port in ports.items()}
    waits: dict[str, list[float]] = {case: [] for case in connections}
    loops: dict[str, list[float]] = {case: [] for case in connections}
    load = os.getloadavg()[0]
    for number in track(range(-20, requests), description=f"store {store}", transient=True):
        for case, connection in connections.items():
            body = source.remembered if case == "remembered" else source.fresh()
            time.sleep(pause_s)
            before_ms = _worked_ms(pid)
            seconds, head = connection.post(body)
            if number >= 0:  # the first ones warm everything up
                waits[case].append(seconds * 1e3)
                loops[case].append(_worked_ms(pid) - before_ms)
            check(case, head)
    for case, connection in connections.items():
        connection.close()
        yield Result(store, case, waits[case], loops[case], load)


def _shorten(body: bytes, port: int) -> None:
    """Have the conversation shortened; this takes seconds, in which servers close connections that idle."""
    connection = Connection(port, _prefix("remembered"))
    connection.post(body)
    connection.close()


def _worked_ms(pid: int) -> float:
    """Time that the main thread of a process was on a core."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def _prefix(case: str) -> str:
    return "" if case == "direct" else f"/{_slug(case)}"


def table(results: Sequence[Result]) -> Table:
    """A row for each case, beside the direct way with the same store."""
    direct = {result.store: result for result in results if result.case == "direct"}
    rows: list[tuple[str, ...]] = [
        (
            result.store,
            result.case,
            f"{len(result.waits_ms):,}",
            f"{result.p50_ms:.3f}",
            f"{result.p99_ms:.3f}",
            f"{result.p50_ms - direct[result.store].p50_ms:.3f}",
            f"{result.p99_ms - direct[result.store].p99_ms:.3f}",
            f"{statistics.median(result.loop_ms):.3f}" if result.case != "direct" else "",
            f"{result.load_average:.1f}",
        )
        for result in results
    ]
    return Table("Added to requests of 32 KB that are left alone", COLUMNS, rows)


def run(folder: Path, store: str, requests: int, pause_s: float, cores: Sequence[int]) -> list[Result]:
    """Start an upstream and laconic with a store, and measure."""
    upstream, port = free_port(), free_port()
    path = folder / "laconic.yaml"
    path.write_text(yaml.safe_dump(config(upstream, store)))
    mock = [sys.executable, str(Path(__file__).with_name("mock_upstream.py")), str(upstream)]
    serve = [str(Path(sys.executable).with_name("laconic")), "serve", "--config", str(path)]
    serve += ["--host", "127.0.0.1", "--port", str(port), "--quiet"]
    with ExitStack() as stack:
        stack.enter_context(Server(mock, core=cores[1], log=folder / "mock.log"))
        proxy = stack.enter_context(Server(serve, core=cores[0], log=folder / "laconic.log"))
        proxy.seconds_to_answer(f"http://127.0.0.1:{port}/readyz", None)
        ports = {case: upstream if case == "direct" else port for case in GIVEN}
        return list(measure(store.partition(":")[0], ports, proxy.process.pid, requests, pause_s))


@click.command()
@click.option("--requests", default=2000, show_default=True, type=click.IntRange(100), help="To each side.")
@click.option("--pause-ms", default=0.0, show_default=True, help="Rest before each request.")
@click.option("--store", "stores", type=click.Choice(["memory", "sqlite"]), multiple=True)
def main(requests: int, pause_ms: float, stores: Sequence[str]) -> None:
    """Measure what is added to requests that are left alone; status 1 if it is a millisecond or more."""
    console = Console(width=110)
    try:
        program("taskset")
        cores = sorted(os.sched_getaffinity(0))[:2]
        if len(cores) < 2:
            raise UnavailableError("the benchmark needs two cores: one for the proxy, one for the load")
        os.sched_setaffinity(0, {cores[1]})
        results: list[Result] = []
        for store in stores or ("memory", "sqlite"):
            with tempfile.TemporaryDirectory(prefix="laconic-bench-") as name:
                url = "memory:" if store == "memory" else f"sqlite:///{name}/laconic.db"
                results += run(Path(name), url, requests, pause_ms / 1e3, cores)
    except UnavailableError as error:
        raise click.ClickException(str(error)) from error
    table(results).show(console)
    direct = {result.store: result.p50_ms for result in results if result.case == "direct"}
    if any(r.p50_ms - direct[r.store] >= BAR_MS for r in results if r.case in SKIPPED):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
