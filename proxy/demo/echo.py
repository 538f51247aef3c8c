"""An upstream without a model: it answers a chat request with the text of its last message."""

from __future__ import annotations

import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def _complete(request: Request) -> Response:
    body: dict[str, Any] = await request.json()
    content = body["messages"][-1]["content"]
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content)
    answer = {
        "id": "chatcmpl-echo",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model", "echo"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
    }
    return JSONResponse(answer)


def echo_app() -> Starlette:
    """The ASGI application; serves `POST /v1/chat/completions`."""
    return Starlette(routes=[Route("/v1/chat/completions", _complete, methods=["POST"])])
