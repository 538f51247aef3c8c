"""What the way through laconic costs: `python -m tests.benchmarks.proxy [--record]`.

Owns the order of the measurements. The proxy under test has one core to itself; wrk, the stream reader and
the upstreams share another. Within a cell the sides take turns, so that a busy neighbour hits them all.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import click
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks import bodies, load, report, startup
from tests.benchmarks.load import Measurement
from tests.benchmarks.processes import UnavailableError, ask
from tests.benchmarks.report import Cell, Result
from tests.benchmarks.sides import Side, Upstreams, Workplace, program

KB = 1024
CONNECTIONS = (1, 16, 64)
SMALL = bodies.chat(1 * KB)
REMEMBERED = [bodies.chat(32 * KB, messages=8, seed=f"conversation {number}") for number in range(8)]
BUSY = 0.3
"""A load average above which other processes compete for the two cores. The kernel moves them to the core that
idles, so they hurt the fast sides, which keep both busy, more than the slow ones."""
RESULTS = Path(__file__).with_name("RESULTS.md")
LITELLM_VENV = Path(tempfile.gettempdir()) / "laconic-litellm-venv"
NAMES = ("direct", "nginx", "laconic", "litellm")


@dataclass(frozen=True, slots=True)
class Bench:
    """The settings of one run and the place where it happens."""

    console: Console
    place: Workplace
    upstreams: Upstreams
    litellm: Path | None
    names: tuple[str, ...]
    duration_s: int
    rounds: int

    def makers(self) -> dict[str, Callable[[], Side]]:
        """How each wanted proxy is made, by name."""
        every: dict[str, Callable[[], Side]] = {
            "nginx": lambda: self.place.nginx(self.upstreams),
            "laconic": lambda: self.place.laconic(self.upstreams),
        }
        if self.litellm is not None:
            path = self.litellm
            every["litellm"] = lambda: self.place.litellm(self.upstreams, path)
        return {name: make for name, make in every.items() if name in self.names}

    def pass_through(self) -> Iterator[Result]:
        """Whole answers and streams through every side."""
        with ExitStack() as stack:
            sides = [self.place.direct(self.upstreams)] if "direct" in self.names else []
            sides += [self._started(make(), stack) for make in self.makers().values()]
            for size_kb in (1, 32):
                files = self._files([bodies.chat(size_kb * KB)], f"plain-{size_kb}")
                for connections in CONNECTIONS:
                    yield from self._whole(Cell("pass-through", size_kb * KB, connections), sides, files)
            yield from self._streams(sides)

    def remembered(self) -> Iterator[Result]:
        """Requests whose texts have all been shortened before, against the direct way."""
        direct = self.place.direct(self.upstreams)
        with ExitStack() as stack:
            side = self._started(self.place.laconic_remembering(self.upstreams), stack)
            self._warm(side)
            files = self._files(REMEMBERED, "remembered")
            for connections in CONNECTIONS:
                yield from self._whole(Cell("remembered", 32 * KB, connections), [direct, side], files)

    def _progress(self) -> Progress:
        return Progress(console=self.console, transient=True, disable=not self.console.is_terminal)

    def _started(self, side: Side, stack: ExitStack) -> Side:
        assert side.server is not None
        stack.enter_context(side.server).seconds_to_answer(side.url, SMALL)
        return side

    def _files(self, contents: Sequence[bytes], name: str) -> list[Path]:
        paths = [self.place.folder / f"{name}-{index}.json" for index in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return paths

    def _warm(self, side: Side) -> None:
        assert side.server is not None
        side.server.seconds_to_answer(urljoin(side.url, "/readyz"), None)
        with self._progress() as progress:
            for body in progress.track(REMEMBERED, description="Shortening the texts to be remembered"):
                ask(side.url, body, timeout_s=600)
        for body in REMEMBERED:
            headers = ask(side.url, body).headers
            if int(headers.get("x-laconic-saved-tokens", "0")) == 0 or headers.get("x-laconic-skipped"):
                found = {name: value for name, value in headers.items() if name.startswith("x-laconic-")}
                raise UnavailableError(f"laconic should have shortened every text by now: {found}")

    def _whole(self, cell: Cell, sides: Sequence[Side], files: Sequence[Path]) -> Iterator[Result]:
        def run(side: Side) -> Measurement:
            return load.whole_answers(side.url, files, cell.connections, self.duration_s)

        return self._in_turns(cell, sides, run)

    def _streams(self, sides: Sequence[Side]) -> Iterator[Result]:
        cell = Cell("stream, first byte", 1 * KB, 64)
        body = bodies.chat(cell.body_bytes, stream=True)

        def run(side: Side) -> Measurement:
            return load.streams(side.stream_url, body, cell.connections, self.duration_s)

        return self._in_turns(cell, sides, run)

    def _in_turns(
        self, cell: Cell, sides: Sequence[Side], run: Callable[[Side], Measurement]
    ) -> Iterator[Result]:
        runs: dict[str, list[Measurement]] = {side.name: [] for side in sides}
        loads: dict[str, float] = {}
        label = f"{cell.work}, {cell.body_bytes // KB} KB, {cell.connections} connections"
        with self._progress() as progress:
            task = progress.add_task(label, total=self.rounds * len(sides))
            for _ in range(self.rounds):
                for side in sides:
                    progress.update(task, description=f"{label}: {side.name}")
                    loads.setdefault(side.name, os.getloadavg()[0])
                    runs[side.name].append(run(side))
                    progress.advance(task)
        for side in sides:
            yield Result(cell, side.name, load.median(runs[side.name]), loads[side.name])


def litellm_program(environment: Path, install: bool) -> Path | None:
    """LiteLLM's command in its own virtual environment, made if wanted; None where there is none."""
    command = environment / "bin" / "litellm"
    if install and not command.exists():
        venv.create(environment, with_pip=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "litellm[proxy]"]
        subprocess.run(pip, check=True)
    return command if command.exists() else None


def versions(litellm: Path | None) -> dict[str, str]:
    """What was measured with what."""
    found = {"laconic": importlib.metadata.version("laconic"), "Python": sys.version.split()[0]}
    nginx = subprocess.run([program("nginx"), "-v"], check=True, capture_output=True, text=True).stderr
    found["nginx"] = nginx.strip().rpartition("/")[2]
    if litellm is not None:
        code = "import importlib.metadata as m; print(m.version('litellm'))"
        python = litellm.with_name("python")
        found["LiteLLM"] = subprocess.check_output([str(python), "-c", code], text=True).strip()
    return found


def cores() -> tuple[int, int]:
    """A core for the proxy and one for the rest; UnavailableError on a machine with one."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise UnavailableError("the benchmark needs two cores: one for the proxy, one for the load")
    return allowed[0], allowed[1]


@click.command()
@click.option("--side", "names", type=click.Choice(NAMES), multiple=True, help="Only these; all by default.")
@click.option("--duration", default=3, show_default=True, help="Seconds of each run.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each side in each cell.")
@click.option("--starts", default=5, show_default=True, help="Starts of each side.")
@click.option(
    "--litellm-venv",
    envvar="LITELLM_VENV",
    default=LITELLM_VENV,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Virtual environment that holds LiteLLM's proxy.",
)
@click.option("--install-litellm", is_flag=True, help="Make that environment if it isn't there.")
@click.option("--json", "json_path", default="build/benchmark.json", type=click.Path(path_type=Path))
@click.option("--record", is_flag=True, help="Append the tables to RESULTS.md.")
def main(
    *,
    names: tuple[str, ...],
    duration: int,
    rounds: int,
    starts: int,
    litellm_venv: Path,
    install_litellm: bool,
    json_path: Path,
    record: bool,
) -> None:
    """Measure laconic against a direct call, nginx and LiteLLM's proxy on this machine."""
    console = Console()
    try:
        for needed in ("wrk", "nginx", "taskset"):
            program(needed)
        proxy_core, load_core = cores()
        litellm = litellm_program(litellm_venv, install_litellm)
        with tempfile.TemporaryDirectory(prefix="laconic-bench-") as folder, ExitStack() as stack:
            place = Workplace(Path(folder), proxy_core, load_core)
            os.sched_setaffinity(0, {load_core})
            if (busy := os.getloadavg()[0]) > BUSY:
                console.print(
                    f"The machine is busy (load {busy:.1f}): the figures will be too low, unevenly so."
                )
            upstreams = place.upstreams(stack)
            bench = Bench(console, place, upstreams, litellm, names or NAMES, duration, rounds)
            if litellm is None and "litellm" in bench.names:
                console.print(f"No LiteLLM in {litellm_venv}: left out (--install-litellm makes it).")
            run(bench, starts, json_path, record)
    except UnavailableError as error:
        raise click.ClickException(str(error)) from error


def run(bench: Bench, starts: int, json_path: Path, record: bool) -> None:
    """All measurements, then all reports."""
    console = bench.console
    startups = [startup.measure(make, SMALL, starts) for make in bench.makers().values()]
    imports = None
    if "laconic" in bench.names:
        side = bench.place.laconic(bench.upstreams, startup.IMPORT_TIMES)
        imports = startup.heavy_imports(side, SMALL)
    # First what can go wrong: it needs the model.
    remembered = list(bench.remembered()) if "laconic" in bench.names else []
    results = [*bench.pass_through(), *remembered]
    tables = [*report.load_tables(results), report.startups_table(startups, imports)]
    for table in tables:
        table.show(console)
    named = versions(bench.litellm)
    report.write_json(json_path, named, results, startups, imports)
    console.print(f"Figures in {json_path}")
    if record:
        settings = f"{bench.rounds} rounds of {bench.duration_s} s, medians; one core for each proxy"
        report.record(RESULTS, report.heading(named, settings), tables)


if __name__ == "__main__":
    main()
