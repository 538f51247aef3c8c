"""The proxies that requests go through, each as its own program in a home of its own.

Knows command lines, not what the programs do; imports neither of them.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

START_S = 120.0
UNHURRIED = """\
upstreams:
  openai: {{base_url: "{upstream}"}}
policies:
  unhurried: {{extends: {policy}, deadline_ms: 600000, break_even: {{value: off}}}}
routes:
  - {{name: all, upstream: openai, policy: unhurried}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A program in front of the upstream."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    ready: str
    """The path that answers 200 once requests may come."""
    warm_up_s: float = 0.0
    """How long it goes on loading in the background after that."""


def headroom(port: int, upstream_port: int, hub: Path | None) -> Proxy:
    """Headroom's proxy as it comes, but without network and its limit of 60 requests a minute.

    Neither changes what it sends, except that models are missing unless `hub` (Hugging Face's cache) holds them.
    `/readyz` isn't asked: it wants Anthropic's API to be reachable.
    """
    upstream = f"http://127.0.0.1:{upstream_port}/v1"
    options = ["--port", str(port), "--openai-api-url", upstream, "--no-rate-limit"]
    environment = {
        "HEADROOM_OFFLINE": "1",
        "HF_HUB_OFFLINE": "1",
        "TIKTOKEN_CACHE_DIR": str(vocabularies()),
        **({"HF_HOME": str(hub.resolve())} if hub is not None else {}),
    }
    name = "headroom" if hub is not None else "headroom, no models"
    return Proxy(name, [_program("headroom"), "proxy", *options], environment, "/livez", 15.0)


def laconic(port: int, upstream_port: int, home: Path, *, policy: str | None, unhurried: bool) -> Proxy:
    """laconic under a built-in policy, or as it comes; if `unhurried` without a deadline and without a break-even.

    With them, what a machine can do and what else it does decide which texts are shortened.
    """
    upstream = f"http://127.0.0.1:{upstream_port}/v1"
    options = ["--port", str(port), "--quiet"]
    if policy is not None and unhurried:
        config = home / "unhurried.yaml"
        config.write_text(UNHURRIED.format(upstream=upstream, policy=policy))
        options += ["--config", config.name]
    elif policy is not None:
        options += ["--policy", policy]
    return Proxy(
        "laconic", [_program("laconic"), "serve", *options], {"LACONIC_UPSTREAM_URL": upstream}, "/readyz"
    )


def vocabularies() -> Path:
    """tiktoken's vocabularies as litellm brings them, so that nothing is downloaded."""
    return Path(str(distribution("litellm").locate_file("litellm/litellm_core_utils/tokenizers")))


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(proxy: Proxy, port: int, home: Path, log: Path) -> Iterator[None]:
    """Run the program while entered; SystemExit if it doesn't answer."""
    environment = {"HOME": str(home), "PATH": os.defpath, **proxy.environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            proxy.command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait(proxy, process, port)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait(proxy: Proxy, process: subprocess.Popen[bytes], port: int) -> None:
    deadline_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", proxy.ready)
            if connection.getresponse().status == 200:
                time.sleep(proxy.warm_up_s)
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{proxy.name} does not answer (exit status {process.poll()}); see its log")


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
