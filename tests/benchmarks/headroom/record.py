"""What Headroom sends: `python record.py --out FOLDER TRAFFIC.jsonl.gz …`, in Headroom's own environment.

Starts `headroom proxy` as it comes, in front of an upstream on loopback that keeps bodies, and puts every recorded
request through it, one after the other. FOLDER then holds one JSONL file a traffic file with `conversation`, `turn`,
`request`, `sent` and `ms`, and `about.json`: versions, commands, what the proxy warned of. Knows nothing of laconic.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

HEADERS = {
    "content-type": "application/json",
    "authorization": "Bearer sk-benchmark",
    "user-agent": "OpenAI/Python 2.14.0",
}
# The limit of 60 requests a minute would only make the run longer; it changes no body.
OPTIONS = ["--no-rate-limit"]
# No connection but to the upstream. Token counts come from the vocabularies that litellm brings.
OFFLINE = {"HEADROOM_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
PACKAGES = ("headroom-ai", "litellm", "tiktoken", "torch", "transformers", "onnxruntime", "magika")


def main() -> None:
    """Run the proxy and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder outside of the repository")
    parser.add_argument("--limit", type=int, help="at most so many requests of each file")
    parser.add_argument("traffic", type=Path, nargs="+", help="JSONL, gzipped or not")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(_vocabularies())
    from recording_upstream import RecordingUpstream  # type: ignore[import-not-found]  # beside this file

    about: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **_versions()},
        "load_average": os.getloadavg()[0],
        "files": {},
    }
    with RecordingUpstream() as upstream, _proxy(upstream.server_port, arguments.out) as (port, command):
        about["command"] = command
        for path in arguments.traffic:
            started_at = time.monotonic()
            name = path.name.partition(".")[0]
            with (arguments.out / f"{name}.jsonl").open("w") as file:
                for row in _recorded(upstream, port, _requests(path, arguments.limit)):
                    print(json.dumps(row, ensure_ascii=False), file=file)
            about["files"][name] = {"seconds": round(time.monotonic() - started_at, 1)}
            print(f"{name}: {about['files'][name]['seconds']} s", file=sys.stderr)
    about["warnings"] = _warnings(arguments.out / "proxy.log")
    (arguments.out / "about.json").write_text(json.dumps(about, indent=2) + "\n")


def _vocabularies() -> Path:
    return Path(str(distribution("litellm").locate_file("litellm/litellm_core_utils/tokenizers")))


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except ModuleNotFoundError:
            found[package] = "absent"
    return found


@contextmanager
def _proxy(upstream_port: int, out: Path) -> Iterator[tuple[int, str]]:
    """Run Headroom's proxy in a home of its own; its port and command line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    program = str(Path(sys.executable).with_name("headroom"))
    command = [
        program,
        "proxy",
        "--port",
        str(port),
        "--openai-api-url",
        f"http://127.0.0.1:{upstream_port}/v1",
    ]
    command += OPTIONS
    home = (out / "home").resolve()
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": os.defpath, **OFFLINE}
    environment["TIKTOKEN_CACHE_DIR"] = os.environ["TIKTOKEN_CACHE_DIR"]
    with (out / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait(process, port)
        named = " ".join(f"{key}={value}" for key, value in OFFLINE.items())
        yield port, f"{named} headroom {' '.join(command[1:])}"
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Until the proxy answers and its warm-up in the background has had its time; SystemExit if it doesn't.

    Asks for `/livez`: `/readyz` also wants Anthropic's API to be reachable.
    """
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/livez")
            if connection.getresponse().status == 200:
                time.sleep(15)
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"headroom proxy does not answer (exit status {process.poll()}); see proxy.log")


def _requests(path: Path, limit: int | None) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file][:limit]


def _recorded(upstream: Any, port: int, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each row with what was sent for it (None if Headroom answered by itself) and the time it added."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        upstream.bodies.clear()
        upstream.answer = _answer(row, following)
        upstream.held_ms = 0.0
        body = json.dumps(row["request"], ensure_ascii=False, separators=(",", ":")).encode()
        started_at = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", body, HEADERS)
        response = connection.getresponse()
        answer = response.read()
        ms = 1e3 * (time.perf_counter() - started_at) - upstream.held_ms
        if response.status != 200 or len(upstream.bodies) > 1:
            raise SystemExit(
                f"{row['conversation']} turn {row['turn']}: status {response.status}, {len(upstream.bodies)}"
                f" requests at the upstream, one is expected: {answer[:300]!r}"
            )
        yield {
            "conversation": row["conversation"],
            "turn": row["turn"],
            "request": row["request"],
            "sent": json.loads(upstream.bodies[0]) if upstream.bodies else None,
            "ms": round(ms, 3),
        }


def _answer(row: dict[str, Any], following: dict[str, Any] | None) -> dict[str, Any]:
    """The assistant's message as the next request of the conversation holds it."""
    if following is not None and following["conversation"] == row["conversation"]:
        message: dict[str, Any] = following["request"]["messages"][len(row["request"]["messages"])]
        if message["role"] == "assistant":
            return message
    return {"role": "assistant", "content": "Done."}


def _warnings(log: Path) -> dict[str, int]:
    """What the proxy warned of and how often, without times and the requests' names; numbers count as one."""
    found = re.findall(r" - (headroom\S* - (?:WARNING|ERROR) - .*)", log.read_text(errors="replace"))
    return Counter(re.sub(r"\d+", "N", re.sub(r"\[hr_\w+\] ", "", warning)) for warning in found)


if __name__ == "__main__":
    main()
