"""What a proxy sends: `python -m tests.benchmarks.headroom.record --out FOLDER TRAFFIC…` in the proxy's environment.

Puts every recorded request through Headroom (or, with `--laconic`, through laconic), one after the other, in front of
an upstream on loopback that keeps bodies. FOLDER then holds one JSONL file a traffic file with `conversation`, `turn`,
`request`, `sent` and `ms`, and `about.json`: versions, the command line, what the proxy warned of. It holds users'
words, so it belongs outside the repository. Imports neither proxy.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import platform
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.headroom.proxies import Proxy, free_port, headroom, laconic, running, vocabularies
from tests.benchmarks.headroom.upstream import RecordingUpstream

HEADERS = {
    "content-type": "application/json",
    "authorization": "Bearer sk-benchmark",
    "user-agent": "OpenAI/Python 2.14.0",
}
PACKAGES = ("headroom-ai", "laconic", "litellm", "tiktoken", "torch", "transformers", "onnxruntime", "magika")
Row = dict[str, Any]


def main() -> None:
    """Run the proxy and record."""
    arguments = _arguments()
    home = arguments.out.resolve() / "home"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(vocabularies())
    port = free_port()
    with RecordingUpstream() as upstream:
        proxy = headroom(port, upstream.server_port, arguments.hub)
        if arguments.laconic:
            policy, unhurried = arguments.policy, arguments.unhurried
            proxy = laconic(port, upstream.server_port, home, policy=policy, unhurried=unhurried)
        log = arguments.out / "proxy.log"
        with running(proxy, port, home, log):
            seconds = dict(_record(path, arguments, upstream, port) for path in arguments.traffic)
    side = [proxy.name, arguments.policy or "", "unhurried" if arguments.unhurried else ""]
    about = _about(" ".join(filter(None, side)), proxy, seconds, log)
    (arguments.out / "about.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="a folder outside the repository")
    parser.add_argument("--limit", type=int, help="at most so many requests of each file")
    parser.add_argument("--hub", type=Path, help="a HF_HOME that holds Headroom's models")
    parser.add_argument("--laconic", action="store_true", help="through laconic in place of Headroom")
    parser.add_argument("--policy", help="one of laconic's built-in policies")
    parser.add_argument(
        "--unhurried", action="store_true", help="that policy without deadline and break-even"
    )
    parser.add_argument("traffic", type=Path, nargs="+", help="JSONL, gzipped or not")
    arguments = parser.parse_args()
    if (arguments.policy or arguments.unhurried) and not arguments.laconic:
        parser.error("--policy and --unhurried go with --laconic")
    if arguments.unhurried and not arguments.policy:
        parser.error("--unhurried goes with --policy")
    return arguments


def _record(
    path: Path, arguments: argparse.Namespace, upstream: RecordingUpstream, port: int
) -> tuple[str, float]:
    """Write one traffic file's recording; its name and the seconds it took."""
    started_at = time.monotonic()
    name = path.name.partition(".")[0]
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [json.loads(line) for line in file][: arguments.limit]
    with (arguments.out / f"{name}.jsonl").open("w") as file:
        for row in _sent(rows, upstream, port):
            print(json.dumps(row, ensure_ascii=False), file=file)
    took_s = round(time.monotonic() - started_at, 1)
    print(f"{name}: {len(rows)} requests, {took_s} s", file=sys.stderr)
    return name, took_s


def _sent(rows: list[Row], upstream: RecordingUpstream, port: int) -> Iterator[Row]:
    """Each row with what was sent for it (None if the proxy answered by itself) and the time that this added."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        upstream.expect(_answer(row, following))
        body = json.dumps(row["request"], ensure_ascii=False, separators=(",", ":")).encode()
        started_at = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", body, HEADERS)
        response = connection.getresponse()
        answer = response.read()
        took_ms = 1e3 * (time.perf_counter() - started_at)
        if response.status != 200 or len(upstream.bodies) > 1:
            raise SystemExit(
                f"{row['conversation']}, turn {row['turn']}: status {response.status} and {len(upstream.bodies)}"
                f" requests at the upstream; expected 200 and at most one: {answer[:300]!r}"
            )
        yield {
            "conversation": row["conversation"],
            "turn": row["turn"],
            "request": row["request"],
            "sent": json.loads(upstream.bodies[0]) if upstream.bodies else None,
            "ms": round(took_ms - upstream.held_ms, 3),
        }


def _answer(row: Row, following: Row | None) -> Row:
    """The assistant's message as the next request of the conversation holds it."""
    if following is not None and following["conversation"] == row["conversation"]:
        message: Row = following["request"]["messages"][len(row["request"]["messages"])]
        if message["role"] == "assistant":
            return message
    return {"role": "assistant", "content": "Done."}


def _about(side: str, proxy: Proxy, seconds: dict[str, float], log: Path) -> dict[str, Any]:
    settings = proxy.environment.items()
    environment = [f"{key}={value}" for key, value in settings if not value.startswith("/")]
    return {
        "side": side,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **_versions()},
        "command": " ".join([*environment, Path(proxy.command[0]).name, *proxy.command[1:]]),
        "load_average": os.getloadavg()[0],
        "seconds": seconds,
        "warnings": _warnings(log),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _warnings(log: Path) -> dict[str, int]:
    """What the proxy warned of and how often, without times and the requests' names; numbers count as one."""
    lines = re.findall(r".*\b(?:WARNING|ERROR)\b.*", log.read_text(errors="replace"))
    untimed = (re.sub(r"^\S+ \S+ - |\[hr_\w+\] ", "", line) for line in lines)
    return Counter(re.sub(r"\d+", "N", line) for line in untimed)


if __name__ == "__main__":
    main()
