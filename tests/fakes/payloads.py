"""What a well-behaved OpenAI-style upstream answers: payloads in, payloads out.

Owns the shapes of completions, chunks, embeddings and errors. Knows no socket and no failure.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

from tests.fakes.exchange import Request

CREATED = 1_700_000_000
MODELS = ("fake-small", "fake-large")
DONE = b"data: [DONE]\n\n"


def facts(request: Request) -> dict[str, Any]:
    """What the upstream saw, for the answer's text."""
    body = request.json()
    messages = body.get("messages", []) if isinstance(body, dict) else []
    return {
        "method": request.method,
        "target": request.target.decode("latin-1"),
        "authorization": request.header("authorization"),
        "body_bytes": len(request.body),
        "body_sha256": hashlib.sha256(request.body).hexdigest(),
        "roles": [message.get("role") for message in messages],
        "characters": sum(len(text) for text in texts(messages)),
    }


def texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    """Every text of the messages, whether the content is a string or a list of parts."""
    for message in messages:
        content = message.get("content") or ""
        parts = [{"text": content}] if isinstance(content, str) else content
        yield from (part["text"] for part in parts if isinstance(part.get("text"), str))


def usage(request: Request, answer: str) -> dict[str, Any]:
    """Token counts at four characters a token."""
    prompt = math.ceil(sum(len(text) for text in texts(request.json()["messages"])) / 4)
    completion = math.ceil(len(answer) / 4)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def completion(request: Request) -> dict[str, Any]:
    """A chat completion whose content is the JSON of `facts`."""
    answer = json.dumps(facts(request))
    message = {"role": "assistant", "content": answer, "refusal": None}
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": CREATED,
        "model": request.json()["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage(request, answer),
    }


def events(request: Request) -> list[bytes]:
    """The same completion as server-sent events, `[DONE]` last; a usage chunk before it if asked for."""
    answer = json.dumps(facts(request))
    pieces = [answer[start : start + 24] for start in range(0, len(answer), 24)]
    chunks = [chunk(request, {"role": "assistant", "content": ""})]
    chunks += [chunk(request, {"content": piece}) for piece in pieces]
    chunks.append(chunk(request, {}, finish_reason="stop"))
    if (request.json().get("stream_options") or {}).get("include_usage"):
        chunks = [chunk | {"usage": None} for chunk in chunks]
        chunks.append(chunk(request, None) | {"usage": usage(request, answer)})
    return [event(chunk) for chunk in chunks] + [DONE]


def chunk(request: Request, delta: dict[str, str] | None, finish_reason: str | None = None) -> dict[str, Any]:
    """One piece of a streamed completion; with no delta, one without choices."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request.json()["model"],
        "choices": [] if delta is None else [choice],
    }


def event(payload: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def models() -> dict[str, Any]:
    """The list of models."""
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in MODELS]
    return {"object": "list", "data": data}


def embeddings(request: Request) -> dict[str, Any]:
    """Eight numbers in [0, 1] a text, from its hash; as floats or, if asked for, base64."""
    body = request.json()
    inputs = [body["input"]] if isinstance(body["input"], str) else body["input"]
    encode = _base64 if body.get("encoding_format") == "base64" else list
    data = [
        {"object": "embedding", "index": index, "embedding": encode(_vector(text))}
        for index, text in enumerate(inputs)
    ]
    tokens = math.ceil(sum(map(len, inputs)) / 4)
    counts = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body["model"], "data": data, "usage": counts}


def _vector(text: str) -> tuple[float, ...]:
    return tuple(byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:8])


def _base64(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def file(request: Request) -> dict[str, Any]:
    """An uploaded file's object; `sha256` is that of the whole multipart body as it arrived."""
    return {
        "id": "file-fake",
        "object": "file",
        "bytes": len(request.body),
        "created_at": CREATED,
        "filename": "upload.bin",
        "purpose": "assistants",
        "status": "processed",
        "sha256": hashlib.sha256(request.body).hexdigest(),
    }


def binary(size_bytes: int = 8 << 20) -> bytes:
    """Bytes of every value that neither compress nor decode as text; the same on every call."""
    return hashlib.shake_256(b"laconic").digest(size_bytes)


def error(status: int) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    kinds = {401: "invalid_request_error", 429: "rate_limit_error"}
    return {
        "error": {
            "message": f"The upstream says {status}.",
            "type": kinds.get(status, "server_error" if status >= 500 else "invalid_request_error"),
            "param": None,
            "code": f"fake_{status}",
        }
    }
