"""An upstream without a model: it keeps the bodies that reach it and answers with a word and a count of tokens."""

from __future__ import annotations

import itertools
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from policies.economics.prompt import Renderer
from policies.tokens import encoding_name, tokenizer

NUMBER = "x-replay-number"
"""Response header under which the recorded body can be taken."""


class Recorder:
    """The ASGI application `app`, and what reached it."""

    def __init__(self) -> None:
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["POST"])])
        self._bodies: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count()
        self._renderers: dict[str, Renderer] = {}

    def take(self, number: str) -> dict[str, Any]:
        """The body of the answer with this number; it is forgotten."""
        return self._bodies.pop(number)

    async def _answer(self, request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        number = str(next(self._numbers))
        self._bodies[number] = body
        usage = {"prompt_tokens": self._count(body), "completion_tokens": 1}
        usage["total_tokens"] = sum(usage.values())
        headers = {NUMBER: number}
        if body.get("stream"):
            return Response(_events(body, usage), media_type="text/event-stream", headers=headers)
        message = {"role": "assistant", "content": "Recorded"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse(_answer_of(body, "chat.completion", [choice]) | {"usage": usage}, headers=headers)

    def _count(self, body: dict[str, Any]) -> int:
        encoding = encoding_name(str(body.get("model", "")))
        if encoding not in self._renderers:
            self._renderers[encoding] = Renderer(tokenizer(encoding))
        return len(self._renderers[encoding].prompt(body).ids)


def _answer_of(body: dict[str, Any], kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "replay", "object": kind, "created": 0, "model": body.get("model", ""), "choices": choices}


def _events(body: dict[str, Any], usage: dict[str, int]) -> bytes:
    delta = {"role": "assistant", "content": "Recorded"}
    said = _answer_of(body, "chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": "stop"}])
    counted = _answer_of(body, "chat.completion.chunk", []) | {"usage": usage}
    asked = isinstance(options := body.get("stream_options"), dict) and options.get("include_usage")
    events = [json.dumps(said), *([json.dumps(counted)] if asked else []), "[DONE]"]
    return "".join(f"data: {event}\n\n" for event in events).encode()
