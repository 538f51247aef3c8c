"""What workers and compressor processes say to each other: HTTP over Unix sockets, with pickled bodies.

Owns their form and the names of the sockets. Knows neither side. The sockets lie in a folder that only this user
can enter, and all who speak are processes of one `laconic serve`; that is why pickle may be read here.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.config import Compressor

HOST = "http://laconic"
"""Stands where HTTP wants a host; the socket decides who is asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """A device and the socket of the process that has it."""

    device: str
    path: Path


def packed(message: object) -> bytes:
    """A message as bytes."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def unpacked(content: bytes) -> Any:
    """The message in bytes of `packed`."""
    return pickle.loads(content)  # noqa: S301 (only processes of the same `laconic serve` can reach the socket)


def key_of(compressor: Compressor) -> str:
    """Names a compressor in URLs."""
    described = compressor.model_dump_json(exclude={"ray"})
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def keeper_socket(folder: Path) -> Path:
    """Where the supervisor says which socket leads to a device."""
    return folder / "keeper.sock"
