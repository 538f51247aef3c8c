"""Invented traffic in the shapes that a replay reads, and configurations to replay it under."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.laconic import POLICY, words

SECRET_WORD = "secretword"


def turns(salt: str, count: int = 4, tokens: int = 400) -> list[dict[str, Any]]:
    """The requests of one conversation: each has a longer history."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": words(tokens, f"{SECRET_WORD}{salt}system")}
    ]
    requests = []
    for turn in range(count):
        messages.append({"role": "user", "content": words(tokens, f"{SECRET_WORD}{salt}{'abcdefgh'[turn]}")})
        requests.append({"model": "gpt-4o", "messages": list(messages)})
        messages.append({"role": "assistant", "content": f"answer {turn}"})
    return requests


def wrapped(conversations: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Rows with the conversation's name and the turn's number."""
    return [
        {"conversation": f"talk-{number}", "turn": turn, "request": request}
        for number, requests in enumerate(conversations)
        for turn, request in enumerate(requests)
    ]


def write(path: Path, rows: Sequence[Any]) -> Path:
    """JSON lines at `path`, in gzip if its name says so."""
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_config(path: Path, **policy: Any) -> Path:
    """A configuration with the tests' policy, changed by `policy`, and a store that must not be touched."""
    untouched = path.with_suffix(".db")
    document = {
        "upstreams": {"openai": {"base_url": "https://upstream.invalid/v1"}},
        "policies": {"careful": POLICY | {"break_even": {"value": "off"}} | policy},
        "routes": [{"name": "all", "upstream": "openai", "policy": "careful"}],
        "store": f"sqlite:///{untouched}",
    }
    path.write_text(yaml.safe_dump(document))
    return path
