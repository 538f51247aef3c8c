"""What is written of a request: one line of JSON with all that a replay needs, and no credential.

Knows bodies, headers and which of them routes look at; neither files nor threads.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from policies.config import Config
from proxy.capture.redaction import Redaction
from proxy.credentials import CREDENTIAL_HEADERS, caller_hash
from proxy.dialects import chat
from proxy.errors import MalformedJsonError

_NEVER = frozenset((*CREDENTIAL_HEADERS, "proxy-authorization", "cookie"))
_OWN = "x-laconic-"
_WITHOUT_BREAKS = bytes.maketrans(b"\r\n", b"  ")


class Arrival(NamedTuple):
    """A request as it is handed over by the event loop."""

    time_s: float
    """Unix time."""
    path: str
    headers: dict[str, str]
    key: str
    """The hash of the caller's key if a route names it, else empty."""
    body: bytes


class Selection:
    """What of a request's headers the routes of a configuration depend on."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._names = {name for route in config.routes for name in route.match.header} - _NEVER
        self._keys = {key for route in config.routes for key in route.match.key}

    def of(self, headers: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """The headers to write, and the hash of the caller's key if a route names it."""
        kept = {
            name: value for name, value in headers.items() if name in self._names or name.startswith(_OWN)
        }
        caller = caller_hash(headers) if self._keys else ""
        return kept, caller if caller in self._keys else ""


def line(arrival: Arrival, key: bytes, redaction: Redaction | None) -> bytes:
    """The line for a request, with its end; raises `MalformedJsonError` for what is no chat request in JSON.

    The body stands in it as it came, but for line breaks between its values; redacted, it is encoded again.
    """
    body = chat.parse(arrival.body)
    if not body.roles:
        raise MalformedJsonError("the request body has no messages")
    head: dict[str, object] = {
        "time": round(arrival.time_s, 3),
        "conversation": _conversation(body, key),
        "path": arrival.path,
        "headers": arrival.headers,
    }
    if arrival.key:
        head["key"] = arrival.key
    if redaction:
        head["redacted"] = True
    # JSON has no line breaks within its strings.
    request = redaction.request(arrival.body) if redaction else arrival.body.translate(_WITHOUT_BREAKS)
    return b'%s, "request": %s}\n' % (json.dumps(head).encode()[:-1], request.strip())


def _conversation(body: chat.ChatBody, key: bytes) -> str:
    """A name that all requests of a conversation have in common, whatever their model: 16 hexadecimal digits.

    Conversations that begin with the same words share it.
    """
    name = hmac.new(key, b"conversation", "sha256")
    for part in _beginning(body):
        name.update(len(part).to_bytes(8, "big") + part)
    return name.hexdigest()[:16]


def _beginning(body: chat.ChatBody) -> Iterator[bytes]:
    """Roles and texts up to the first answer to a user: they stand in each of the conversation's requests."""
    asked = body.roles.index("user") if "user" in body.roles else 0
    answers = (number for number, role in enumerate(body.roles) if number >= asked and role == "assistant")
    end = next(answers, len(body.roles))
    for slot in body.slots:
        if slot.message >= end:
            return
        yield slot.role.encode("utf-8", "surrogatepass")
        yield slot.text.encode("utf-8", "surrogatepass")
