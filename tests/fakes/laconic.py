"""The real proxy on a free loopback port, run by uvicorn in a background thread, as `laconic serve` runs it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import uvicorn

from policies.config import Config
from proxy.app import Application
from proxy.capture import Capture
from proxy.gateway import Gateway
from proxy.settings import Settings

SECRET = b"a secret for tests only"
POLICY: dict[str, Any] = {
    "targets": [{"role": ["user", "tool"], "min_tokens": 20}],
    "ranges": [{"rate": 0.5}],
    "protect": ["numbers"],
    "force_tokens": [],
    "min_saved_tokens": 1,
    "deadline_ms": 20_000,
    "keep_cacheable": False,  # or texts would have to be long
}


def config(
    base_url: str, *, store: str = "memory:", policy: dict[str, Any] | None = None, **more: Any
) -> Config:
    """One upstream, the policy `careful` (changed by `policy`), one route (changed by `route`)."""
    route = {"name": "default", "upstream": "fake", "policy": "careful", **more.pop("route", {})}
    return Config.model_validate(
        {
            "upstreams": {"fake": {"base_url": base_url, **more.pop("upstream", {})}},
            "policies": {"careful": POLICY | (policy or {})},
            "routes": [route],
            "store": store,
            **more,
        }
    )


class Laconic:
    """A context manager: the proxy serves while it is open, and is ready unless `wait` is off."""

    def __init__(
        self,
        config: Config,
        config_path: Path | None = None,
        *,
        wait: bool = True,
        capture: Capture | None = None,
    ) -> None:
        self._wait = wait
        self._app = Application(config, Settings(secret=SECRET), config_path, capture=capture)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                port=0,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                lifespan="on",
                ws="none",
                timeout_graceful_shutdown=2,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.port = 0

    @property
    def base_url(self) -> str:
        """What an SDK is pointed at."""
        return f"{self.origin}/v1"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway(self) -> Gateway:
        """What serves requests just now."""
        return self._app.gateway

    def forget(self) -> None:
        """Empty the memory in front of the durable store, as a restart would."""
        self.gateway.memory.clear()

    def wait_until_ready(self, timeout_s: float = 60.0) -> None:
        """Block until /readyz says so; TimeoutError if it never does."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if send("GET", self.origin + "/readyz").status == 200:
                return
            time.sleep(0.02)
        raise TimeoutError("not ready")

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the proxy did not start")
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        if self._wait:
            self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """`error.code` of an answer in OpenAI's error shape."""
        code: str = self.json()["error"]["code"]
        return code


def send(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """One request over a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        target = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        pairs = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, pairs, response.read())
    finally:
        connection.close()


def chat(laconic: Laconic, body: bytes, **headers: str) -> Answer:
    """Send a chat request; `x_laconic_mode="off"` becomes the header `x-laconic-mode`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(
        "POST", laconic.base_url + "/chat/completions", body, {"content-type": "application/json", **named}
    )


def metric(origin: str, name: str, **labels: str) -> float:
    """Sum of a metric's series that carry `labels`."""
    total = 0.0
    for line in send("GET", origin + "/metrics").body.decode().splitlines():
        series, _, value = line.rpartition(" ")
        found, _, rest = series.partition("{")
        if found == name and all(f'{label}="{text}"' in rest for label, text in labels.items()):
            total += float(value)
    return total


def words(count: int, salt: str = "") -> str:
    """A text of `count` words, different for each `salt`."""
    return " ".join(f"{salt}word{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}" for i in range(count))


def body(*texts: str, role: str = "user", **more: Any) -> bytes:
    """A chat-completions request with one message per text."""
    return json.dumps(
        {"model": "gpt-4o", "messages": [{"role": role, "content": t} for t in texts], **more}
    ).encode()
