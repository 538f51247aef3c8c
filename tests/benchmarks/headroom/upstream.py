"""An OpenAI-like upstream on loopback that keeps every body it gets; runs in the proxy's environment.

Owns the answers and their `usage`, cached tokens included, as a provider with automatic prefix caching reports them:
a proxy may decide by them what it leaves alone. Imports no proxy.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import Any

import tiktoken

CACHED_AT_LEAST_TOKENS = 1024
CACHE_STEP_TOKENS = 128


class RecordingUpstream(ThreadingHTTPServer):
    """A context manager that serves on a free loopback port while it is open."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []
        """What came since `expect`."""
        self.held_ms = 0.0
        """How long that was held here, for counting and answering."""
        self._answer: dict[str, Any] = {}
        self._encoding = tiktoken.get_encoding("o200k_base")
        self._last: list[int] = []

    def __enter__(self) -> RecordingUpstream:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def expect(self, answer: dict[str, Any]) -> None:
        """Forget what came; give the assistant message `answer` from now on."""
        self._answer = answer
        self.bodies.clear()
        self.held_ms = 0.0

    def completion(self, body: bytes) -> bytes:
        """Keep the body; the answer to it, with `usage` as if prefixes of the last request were cached."""
        self.bodies.append(body)
        request = json.loads(body)
        usage = self._usage(request)
        reason = "tool_calls" if self._answer.get("tool_calls") else "stop"
        choice = {"index": 0, "message": self._answer, "finish_reason": reason, "logprobs": None}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": request["model"],
            "choices": [choice],
            "usage": usage,
        }
        return json.dumps(answer).encode()

    def _usage(self, request: dict[str, Any]) -> dict[str, Any]:
        # Tools stand before the messages in what a provider caches.
        prompt = json.dumps([request.get("tools"), request["messages"]], ensure_ascii=False)
        tokens = self._encoding.encode_ordinary(prompt)
        same = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(tokens, self._last, strict=False))
        )
        cached = same // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS if same >= CACHED_AT_LEAST_TOKENS else 0
        self._last = tokens
        completion = len(self._encoding.encode_ordinary(json.dumps(self._answer, ensure_ascii=False)))
        return {
            "prompt_tokens": len(tokens),
            "completion_tokens": completion,
            "total_tokens": len(tokens) + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RecordingUpstream
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        started_at = time.perf_counter()
        answer = self.server.completion(body)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        # Before the answer is out: the client reads this as soon as it has it.
        self.server.held_ms += 1e3 * (time.perf_counter() - started_at)
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing: requests hold users' words."""
