"""Reads documents from files of several kinds. Owns which field or message holds a text; knows no tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressors.errors import CompressionError
from compressors.training import divided, holding_out, lines

_ROWS = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where it comes from."""

    text: str
    source: str
    document: str
    """Names what must not be split between training and held-out data."""


def documents(path: Path) -> Iterator[Document]:
    """The texts in a file, by its ending.

    - `.txt`, `.md`, `.txt.xz`, `.txt.gz`: texts between lines that hold only `<|endoftext|>`.
    - `.jsonl`, `.jsonl.gz`: rows with `text`, `words`, `messages` or `request`, the latter two being chat requests
      as `laconic serve --capture` writes them. Each message's text comes once, though every turn repeats it.

    Raises `CompressionError` for other files, bad rows and redacted captures.
    """
    ending = next((ending for ending in (*divided.ENDINGS, *_ROWS) if path.name.endswith(ending)), None)
    if ending is None:
        raise CompressionError(
            f"{path}: expected a file that ends in {', '.join((*divided.ENDINGS, *_ROWS))}"
        )
    name = path.name.removesuffix(ending)
    if ending in _ROWS:
        yield from _of_rows(path, name)
    else:
        for number, text in enumerate(divided.read(path), 1):
            yield Document(text, name, f"{path.name}:{number}")


def _of_rows(path: Path, name: str) -> Iterator[Document]:
    seen: set[str] = set()
    for place, row in lines.read(path):
        group = holding_out.document_of(row) or place.removeprefix(f"{path.parent}/")
        for text in _texts(row, place):
            if text.strip() and text not in seen:
                seen.add(text)
                yield Document(text, str(row.get("source") or name), group)


def _texts(row: lines.Row, place: str) -> Iterator[str]:
    if row.get("redacted"):
        raise CompressionError(
            f"{place}: a redacted capture holds made-up words, which teach nothing; "
            "capture without --capture-redact"
        )
    request = row.get("request", row)
    if "text" in row:
        yield lines.text_of(row, "text", place)
    elif isinstance(row.get("words"), list):
        yield " ".join(map(str, row["words"]))
    elif isinstance(request, dict) and isinstance(request.get("messages"), list):
        for message in request["messages"]:
            yield from _contents(message)
    else:
        raise CompressionError(f"{place}: expected a field text, words, messages or request with messages")


def _contents(message: Any) -> Iterator[str]:
    """The texts of a chat message: its content, or the parts of it that are text."""
    content = message.get("content") if isinstance(message, dict) else None
    for part in content if isinstance(content, list) else [{"text": content}]:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield text
