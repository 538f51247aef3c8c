"""The servers that are compared: how each is configured, started and addressed.

A side is a URL for whole answers and one for streams. Knows no load and no figures.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.benchmarks import bodies
from tests.benchmarks.processes import API_KEY, Server, UnavailableError, free_port

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "The figures are in order, as far as anybody can tell.",
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 250, "completion_tokens": 12, "total_tokens": 262},
}
NGINX = """\
{user}
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/json;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/{name}.body;
    proxy_temp_path {folder}/{name}.proxy;
    fastcgi_temp_path {folder}/{name}.fastcgi;
    uwsgi_temp_path {folder}/{name}.uwsgi;
    scgi_temp_path {folder}/{name}.scgi;
{http}
}}
"""
MOCK = "    server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{answer}'; }} }}"
UPSTREAM = "    upstream {name} {{ server 127.0.0.1:{port}; keepalive 64; keepalive_requests 1000000000; }}"
REVERSE_PROXY = """\
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location /v1/ {{ proxy_pass http://mock/v1/; }}
        location /sse/v1/ {{ proxy_buffering off; proxy_pass http://sse/v1/; }}
    }}"""
COMPRESS_EVERYTHING = {
    "targets": [{"role": ["user", "assistant"], "min_tokens": 50}],
    "ranges": [{"rate": 0.5}],
    "deadline_ms": 600_000,
    "adopt": "all",
    "keep_cacheable": False,
    "break_even": {"value": "off"},
}


@dataclass(frozen=True, slots=True)
class Upstreams:
    """The ports that everything ends at."""

    mock: int
    sse: int


@dataclass(frozen=True, slots=True)
class Side:
    """A way to the upstreams; `server` is None for the direct one."""

    name: str
    url: str
    stream_url: str
    server: Server | None = None


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the sides are set up: a folder for their files and a core for each half of the work."""

    folder: Path
    proxy_core: int
    load_core: int

    def upstreams(self, stack: ExitStack) -> Upstreams:
        """Start nginx with a canned completion and a streaming upstream; both stay until the stack ends."""
        ports = Upstreams(free_port(), free_port())
        answer = MOCK.format(port=ports.mock, answer=json.dumps(COMPLETION))
        mock = stack.enter_context(self._server("mock", self._nginx("mock", answer), self.load_core))
        mock.seconds_to_answer(chat_url(ports.mock), b"{}")
        command = [sys.executable, str(Path(__file__).with_name("sse_upstream.py")), str(ports.sse)]
        sse = stack.enter_context(self._server("sse", command, self.load_core))
        sse.seconds_to_answer(chat_url(ports.sse), b"{}")
        return ports

    def direct(self, upstreams: Upstreams) -> Side:
        """No proxy at all."""
        return Side("direct", chat_url(upstreams.mock), chat_url(upstreams.sse))

    def nginx(self, upstreams: Upstreams) -> Side:
        """nginx as a reverse proxy that keeps its upstream connections."""
        port = free_port()
        parts = [
            UPSTREAM.format(name="mock", port=upstreams.mock),
            UPSTREAM.format(name="sse", port=upstreams.sse),
            REVERSE_PROXY.format(port=port),
        ]
        server = self._server("nginx", self._nginx("nginx", "\n".join(parts)), self.proxy_core)
        return Side("nginx", chat_url(port), chat_url(port, "/sse"), server)

    def laconic(self, upstreams: Upstreams, environment: dict[str, str] | None = None) -> Side:
        """laconic with two routes that pass everything through."""
        routes = [
            {"name": "sse", "path": "/sse/v1", "upstream": "sse"},
            {"name": "default", "path": "/v1", "upstream": "mock"},
        ]
        return self._laconic("laconic", {"upstreams": _base_urls(upstreams), "routes": routes}, environment)

    def laconic_remembering(self, upstreams: Upstreams) -> Side:
        """laconic with a policy that shortens every message, and a store in memory."""
        config = {
            "upstreams": _base_urls(upstreams),
            "policies": {"everything": COMPRESS_EVERYTHING},
            "routes": [{"name": "default", "path": "/v1", "upstream": "mock", "policy": "everything"}],
        }
        return self._laconic("laconic-remembering", config, None)

    def _laconic(self, name: str, config: dict[str, object], environment: dict[str, str] | None) -> Side:
        port = free_port()
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**config, "store": "memory:"}))
        command = [str(Path(sys.executable).with_name("laconic")), "serve", "--config", str(path)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--quiet"]
        server = self._server(name, command, self.proxy_core, environment)
        return Side("laconic", chat_url(port), chat_url(port, "/sse"), server)

    def litellm(self, upstreams: Upstreams, program: Path) -> Side:
        """LiteLLM's proxy, with one worker and without a database."""
        port = free_port()
        path = self.folder / "litellm.yaml"
        targets = {bodies.MODEL: upstreams.mock, bodies.STREAM_MODEL: upstreams.sse}
        path.write_text(yaml.safe_dump({"model_list": [_litellm_model(*item) for item in targets.items()]}))
        command = [str(program), "--config", str(path), "--host", "127.0.0.1", "--port", str(port)]
        environment = {
            "LITELLM_MASTER_KEY": API_KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no price list from the network
            "LITELLM_LOG": "ERROR",
        }
        server = self._server("litellm", command, self.proxy_core, environment)
        return Side("litellm", chat_url(port), chat_url(port), server)

    def _server(
        self, name: str, command: list[str], core: int, environment: dict[str, str] | None = None
    ) -> Server:
        return Server(command, core=core, log=self.folder / f"{name}.log", environment=environment)

    def _nginx(self, name: str, http: str) -> list[str]:
        path = self.folder / f"{name}.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        path.write_text(NGINX.format(user=user, folder=self.folder, name=name, http=http))
        return [program("nginx"), "-c", str(path), "-e", f"{self.folder}/{name}.error.log"]


def program(name: str) -> str:
    """The path of an installed program; UnavailableError, saying how to install it, where there is none."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        package = "util-linux" if name == "taskset" else name
        raise UnavailableError(f"{name} is not installed: apt-get install {package}")
    return found


def chat_url(port: int, prefix: str = "") -> str:
    """The address of the chat completions of a server on this machine."""
    return f"http://127.0.0.1:{port}{prefix}/v1/chat/completions"


def _base_urls(upstreams: Upstreams) -> dict[str, object]:
    ports = {"mock": upstreams.mock, "sse": upstreams.sse}
    return {name: {"base_url": f"http://127.0.0.1:{port}/v1"} for name, port in ports.items()}


def _litellm_model(name: str, port: int) -> dict[str, object]:
    parameters = {
        "model": f"openai/{name}",
        "api_base": f"http://127.0.0.1:{port}/v1",
        "api_key": API_KEY,
    }
    return {"model_name": name, "litellm_params": parameters}
