"""The upstream's own token counts, read from an answer while its bytes pass. Only looks; changes nothing."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

_USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')  # a quote within a JSON string is escaped: only a key matches
_ENDS_BYTES = 16 * 1024
_OBJECT_BYTES = 4096  # a usage object takes some hundreds
_MOST_TOKENS = 2**40  # a larger count is no count, and would break the sums it enters
_PLAIN = ("", "identity")
_DEFLATED = ("gzip", "x-gzip", "deflate")
_decoder = json.JSONDecoder()


class Usage(NamedTuple):
    """What the upstream counted, and bills."""

    prompt_tokens: int
    cached_tokens: int
    """Those of `prompt_tokens` that its prompt cache held."""
    completion_tokens: int


class UsageReader:
    """Reads `usage` from a JSON answer or from a stream of events, plain or in gzip or deflate.

    Keeps the first and the last 16 KiB, where providers put it: between them stands what was generated. An
    answer of another kind or encoding, or a broken one, has no usage; nothing here raises.
    """

    def __init__(self, content_type: str, content_encoding: str = "") -> None:
        kind, encoding = content_type.partition(";")[0].strip().lower(), content_encoding.strip().lower()
        readable = kind in ("application/json", "text/event-stream") or kind.endswith("+json")
        self._blind = not readable or encoding not in (*_PLAIN, *_DEFLATED)
        self._inflate = (
            None if encoding in _PLAIN else zlib.decompressobj(47)
        )  # 47: gzip or zlib, by its header
        self._head = bytearray()
        self._tail = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of the answer, as they came from the upstream."""
        if self._blind:
            return
        if self._inflate is None:
            self._keep(chunk)
            return
        try:
            while chunk:
                self._keep(self._inflate.decompress(chunk, _ENDS_BYTES))
                chunk = self._inflate.unconsumed_tail
        except zlib.error:
            self._blind = True

    def usage(self) -> Usage | None:
        """The last complete usage so far; None where there is none."""
        if self._blind:
            return None
        return _last(bytes(self._tail)) or _last(bytes(self._head))

    def _keep(self, data: bytes) -> None:
        self._tail += data
        if len(self._tail) > 2 * _ENDS_BYTES:
            if not self._head:
                self._head = self._tail[:_ENDS_BYTES]
            del self._tail[:-_ENDS_BYTES]


def _last(data: bytes) -> Usage | None:
    """The last usage object with token counts in `data`."""
    for key in reversed(list(_USAGE.finditer(data))):
        text = data[key.end() : key.end() + _OBJECT_BYTES].decode("utf-8", "replace")
        try:
            found, _ = _decoder.raw_decode(text)
        except (ValueError, RecursionError):
            continue
        if (usage := _usage(found)) is not None:
            return usage
    return None


def _usage(found: Mapping[str, object]) -> Usage | None:
    """OpenAI's names, and Anthropic's and DeepSeek's for what was cached."""
    prompt = _count(found.get("prompt_tokens"))
    if prompt is None:
        return None
    details = found.get("prompt_tokens_details")
    cached = (
        _count(details.get("cached_tokens") if isinstance(details, dict) else None)
        or _count(found.get("cache_read_input_tokens"))
        or _count(found.get("prompt_cache_hit_tokens"))
    )
    return Usage(prompt, cached or 0, _count(found.get("completion_tokens")) or 0)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None
